"""The shapes of the contract. Rows come with all they need: no field asks the database."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Label, LabelProblem
from annotations.services.progress import progress_of


class LabelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = ["name", "color", "image_count", "annotation_count"]
        read_only_fields = fields


class AnnotationDataUsageSerializer(serializers.Serializer):
    """How many records of each kind use the annotation data."""

    training_tasks = serializers.IntegerField(source="training_task_count")
    inference_jobs = serializers.IntegerField(source="inference_job_count")
    annotation_projects = serializers.IntegerField(source="annotation_project_count")


class LabelProgressSerializer(serializers.Serializer):
    """Bytes of the label file that are read, or rows that are made."""

    stage = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Null while nobody can tell.")


class LabelReportCountsSerializer(serializers.Serializer):
    """What was not used of the label file: rows or objects, by code."""

    problems = serializers.IntegerField()
    by_code = serializers.DictField(child=serializers.IntegerField())


class AnnotationDataSerializer(serializers.ModelSerializer):
    annotation_type = serializers.ChoiceField(
        AnnotationType.choices, allow_blank=True, help_text="Empty until the label file has told."
    )
    source = serializers.SerializerMethodField()
    labels = LabelSerializer(many=True, help_text="In alphabetical order.")
    usage = AnnotationDataUsageSerializer(source="*")
    progress = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    class Meta:
        model = AnnotationData
        fields = [
            "id",
            "dataset",
            "name",
            "annotation_type",
            "source",
            "labels",
            "study_count",
            "image_count",
            "annotation_count",
            "created_at",
            "status",
            "status_detail",
            "usage",
            "progress",
            "report",
        ]
        read_only_fields = fields

    def get_source(self, annotation_data: AnnotationData) -> dict[str, Any]:
        return {**annotation_data.source_detail, "kind": annotation_data.source_kind}

    def get_progress(self, annotation_data: AnnotationData) -> LabelProgressSerializer:
        return LabelProgressSerializer(progress_of(annotation_data)).data

    def get_report(self, annotation_data: AnnotationData) -> LabelReportCountsSerializer:
        label_import = getattr(annotation_data, "label_import", None)
        counts = {
            "problems": label_import.problem_count if label_import else 0,
            "by_code": label_import.problems_by_code if label_import else {},
        }
        return LabelReportCountsSerializer(counts).data


class AnnotationDataUploadSerializer(serializers.Serializer):
    """A label file, or a zip of label files."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)
    name = serializers.CharField(required=False, allow_blank=True, help_text="Default: the dataset's and the file's.")
    annotation_type = serializers.ChoiceField(
        AnnotationType.choices, required=False, allow_blank=True, help_text="Default: detected."
    )
    file_format = serializers.CharField(required=False, allow_blank=True, help_text="Default: detected.")
    options = serializers.JSONField(
        required=False, help_text="What the format needs to be told, such as the columns of a CSV with a header."
    )

    def validate_options(self, options: Any) -> dict[str, Any]:
        if not isinstance(options, dict):
            raise serializers.ValidationError("An object is expected.")
        return options


class LabelFileSerializer(AnnotationDataUploadSerializer):
    """Another label file in place of the one that had problems."""

    name = None
    annotation_type = None
    file_format = None


class AnnotationDataEditSerializer(serializers.Serializer):
    name = serializers.CharField(required=False)


class ConversionSerializer(serializers.Serializer):
    annotation_type = serializers.ChoiceField(AnnotationType.choices)
    name = serializers.CharField(required=False, allow_blank=True)
    labels = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Labels to take along. Default: all."
    )
    merge = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="New label → the labels that become it.",
    )


class LabelProblemSerializer(serializers.ModelSerializer):
    near = serializers.ListField(child=serializers.CharField(), help_text="Images that may have been meant.")

    class Meta:
        model = LabelProblem
        fields = ["path", "row", "column", "code", "message", "near"]


class LabelShareSerializer(serializers.Serializer):
    label = serializers.CharField()
    color = serializers.CharField()
    images = serializers.IntegerField()
    annotations = serializers.IntegerField()
    percentage = serializers.FloatField()


class AnnotationTotalsSerializer(serializers.Serializer):
    images = serializers.IntegerField()
    studies = serializers.IntegerField()
    annotations = serializers.IntegerField()
    labels = serializers.IntegerField()
    negatives = serializers.IntegerField(help_text="Listed images with nothing to label.")
    unlisted_images = serializers.IntegerField(help_text="Images of the dataset that are not listed.")


class StatisticsSerializer(serializers.Serializer):
    """As last computed; further keys by type: image_label, boxes_per_image, box_ratio, box_area, mask_coverage."""

    totals = AnnotationTotalsSerializer()
    label_distribution = LabelShareSerializer(many=True)
    advice = serializers.ListField(child=serializers.DictField())


class AnnotationSerializer(serializers.Serializer):
    """One annotation, in pixels of the image as displayed, origin at its top left corner. Keys that say nothing are
    left out."""

    label = serializers.CharField()
    value = serializers.IntegerField(required=False)
    bbox = serializers.ListField(child=serializers.FloatField(), required=False, help_text="[x, y, width, height]")
    segmentation = serializers.DictField(required=False, help_text="COCO RLE: size [height, width], counts.")
    score = serializers.FloatField(required=False)
    frame = serializers.IntegerField(required=False, help_text="From 1; left out where it is the whole image.")


class AnnotatedImageSerializer(serializers.ModelSerializer):
    id = serializers.IntegerField(source="image_id", help_text="The image's id.")
    study = serializers.IntegerField(source="image.study_id")
    study_name = serializers.CharField(source="image.study.name")
    path = serializers.CharField(source="image.path")
    width = serializers.IntegerField(source="image.width")
    height = serializers.IntegerField(source="image.height")
    nothing_to_label = serializers.SerializerMethodField()
    thumbnail_url = serializers.SerializerMethodField()
    annotations = AnnotationSerializer(many=True, source="shown")

    class Meta:
        model = AnnotatedImage
        fields = [
            "id",
            "study",
            "study_name",
            "path",
            "position",
            "width",
            "height",
            "annotation_count",
            "nothing_to_label",
            "thumbnail_url",
            "annotations",
        ]
        read_only_fields = fields

    def get_nothing_to_label(self, row: AnnotatedImage) -> bool:
        return not row.annotation_count

    def get_thumbnail_url(self, row: AnnotatedImage) -> str | None:
        if not row.image.blob.has_thumbnail:
            return None
        return reverse("api:image-thumbnail", args=[row.image_id], request=self.context["request"])


class AnnotationDataDeletionImpactSerializer(serializers.Serializer):
    """How many rows of each kind go with the annotation data."""

    annotation_data = serializers.IntegerField()
    annotations = serializers.IntegerField()
    training_tasks = serializers.IntegerField()
    inference_jobs = serializers.IntegerField()


def annotation_as_json(annotation: Annotation, label: str, *, width: int, height: int) -> dict[str, Any]:
    """Return an annotation as the contract writes it: only the keys that say something."""
    said: dict[str, Any] = {"label": label}
    if annotation.value is not None:
        said["value"] = annotation.value
    if annotation.x is not None:
        said["bbox"] = [annotation.x, annotation.y, annotation.width, annotation.height]
    if annotation.counts is not None:
        said["segmentation"] = {"size": [height, width], "counts": annotation.counts}
    if annotation.score is not None:
        said["score"] = annotation.score
    if annotation.frame:
        said["frame"] = annotation.frame
    return said
