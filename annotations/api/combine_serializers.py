"""The shapes of combining: what is asked for, and what would come of it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from annotations.combine.agreement import Said
from annotations.combine.preview import Preview
from annotations.models import AnnotatedImage, Duplicates, OnConflict
from datasets.models import Image, Study

MOST_PICKED = 1_000_000


class LabelMapField(serializers.DictField):
    """{old label: new label, or null to leave it out}."""

    child = serializers.CharField(allow_null=True, allow_blank=True)


class IdField(serializers.IntegerField):
    """A key of a row, or of none: any number that the database takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=2**63 - 1, **options)


class SourceSerializer(serializers.Serializer):
    dataset = IdField()
    annotation_data = IdField(required=False, allow_null=True, help_text="Default: none of its labels.")
    label_map = LabelMapField(required=False, help_text="For this source, on top of the common one.")
    studies = serializers.ListField(
        child=IdField(), max_length=MOST_PICKED, required=False, allow_null=True, help_text="Default: all."
    )


class CombinationSerializer(serializers.Serializer):
    sources = SourceSerializer(many=True, help_text="In order: of two that clash the first has its way.")
    label_map = LabelMapField(required=False, help_text="Old label → new label, or null to leave it out.")
    on_conflict = serializers.ChoiceField(OnConflict.choices, required=False, help_text="Default: keep_first.")
    duplicates = serializers.ChoiceField(Duplicates.choices, required=False, help_text="Default: keep_all.")


class NamedCombinationSerializer(CombinationSerializer):
    name = serializers.CharField()
    annotation_data_name = serializers.CharField(required=False, allow_blank=True, help_text="Default: the name.")


class LabelNumbersSerializer(serializers.Serializer):
    label = serializers.CharField()
    images = serializers.IntegerField()
    annotations = serializers.IntegerField()


class MatchedLabelSerializer(LabelNumbersSerializer):
    dataset = serializers.IntegerField()
    annotation_data = serializers.IntegerField()
    becomes = serializers.CharField(allow_null=True, help_text="By the label map that was sent; null: left out.")


class LabelMatchSerializer(serializers.Serializer):
    """Labels that may mean the same, the name proposed for them, and how it was found."""

    label = serializers.CharField()
    match = serializers.ChoiceField(["none", "exact", "case", "punctuation", "plural", "similar"])
    labels = MatchedLabelSerializer(many=True)


class FoundImageSerializer(serializers.Serializer):
    """An image of a source; ``annotations`` where it is one that sources contradict each other about."""

    dataset = serializers.IntegerField()
    image = serializers.IntegerField()
    path = serializers.CharField()
    thumbnail_url = serializers.CharField()
    annotations = serializers.ListField(child=serializers.DictField(), required=False)


class FoundStudySerializer(serializers.Serializer):
    dataset = serializers.IntegerField()
    study = serializers.IntegerField()
    name = serializers.CharField()


class ConflictsSerializer(serializers.Serializer):
    """Groups of images with the same bytes: those examined, and those the sources contradict each other about."""

    count = serializers.IntegerField()
    examined = serializers.IntegerField()
    is_complete = serializers.BooleanField(help_text="False where there are too many to examine all of them.")
    examples = serializers.ListField(child=FoundImageSerializer(many=True), help_text="A list for each group.")


class DuplicatesSerializer(serializers.Serializer):
    """Groups of images with the same bytes in several sources."""

    count = serializers.IntegerField()
    examples = serializers.ListField(child=FoundImageSerializer(many=True))


class SharedPatientsSerializer(serializers.Serializer):
    """Patients in several sources, told by a keyed digest; studies that have no patient are not counted."""

    count = serializers.IntegerField()
    examples = serializers.ListField(child=FoundStudySerializer(many=True))


class DistributionSerializer(serializers.Serializer):
    before = serializers.ListField(child=LabelNumbersSerializer(many=True), help_text="A list for each source.")
    after = LabelNumbersSerializer(many=True)
    is_exact = serializers.BooleanField(help_text="False where images or labels come together: then at most.")


class TotalsSerializer(serializers.Serializer):
    studies = serializers.IntegerField()
    images = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    listed_images = serializers.IntegerField()
    annotations = serializers.IntegerField()


class PreviewSerializer(serializers.Serializer):
    annotation_type = serializers.CharField()
    label_matches = LabelMatchSerializer(many=True)
    conflicts = ConflictsSerializer()
    duplicates = DuplicatesSerializer()
    shared_patients = SharedPatientsSerializer()
    totals = TotalsSerializer()
    label_distribution = DistributionSerializer()


def preview_as_json(preview: Preview, request: Any) -> dict[str, Any]:
    """Return a preview in the shape of PreviewSerializer; nothing in it is asked of the database."""
    return {
        "annotation_type": preview.annotation_type,
        "label_matches": preview.label_matches,
        "conflicts": {
            "count": preview.conflicts.count,
            "examined": preview.conflicts.examined,
            "is_complete": preview.conflicts.is_complete,
            "examples": [[_listed(row, request) for row in group] for group in preview.conflicts.examples],
        },
        "duplicates": {
            "count": preview.duplicates.count,
            "examples": [[_image(image, request) for image in group] for group in preview.duplicates.examples],
        },
        "shared_patients": {
            "count": preview.patients.count,
            "examples": [[_study(study) for study in group] for group in preview.patients.examples],
        },
        "totals": preview.totals,
        "label_distribution": {"before": preview.before, "after": preview.after, "is_exact": preview.is_exact},
    }


def _image(image: Image, request: Any) -> dict[str, Any]:
    url = reverse("api:image-thumbnail", args=[image.pk], request=request)
    return {"dataset": image.dataset_id, "image": image.pk, "path": image.path, "thumbnail_url": url}


def _listed(row: AnnotatedImage, request: Any) -> dict[str, Any]:
    said: list[Said] = row.said  # type: ignore[attr-defined]
    return {**_image(row.image, request), "annotations": [_annotation(each) for each in said]}


def _annotation(said: Said) -> dict[str, Any]:
    given = {"label": said.label, "value": said.value, "bbox": said.box and list(said.box), "frame": said.frame}
    return {key: value for key, value in given.items() if value is not None}


def _study(study: Study) -> dict[str, Any]:
    return {"dataset": study.dataset_id, "study": study.pk, "name": study.name}
