"""The shapes of the contract. Rows come with all they need: no field asks the database."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.reverse import reverse

from datasets.models import Dataset, Image, Outcome, Problem, Study, Upload, UploadPart, UploadState
from datasets.services.progress import Progress, ReportCounts, progress_of, report_of


class UsageSerializer(serializers.Serializer):
    """How many records of each kind use the dataset."""

    annotation_projects = serializers.IntegerField(source="annotation_project_count")
    annotation_jobs = serializers.IntegerField(source="annotation_job_count")
    training_tasks = serializers.IntegerField(source="training_task_count")
    inference_jobs = serializers.IntegerField(source="inference_job_count")


class ProgressSerializer(serializers.Serializer):
    """Bytes while uploading, files after that, images while combining."""

    stage = serializers.ChoiceField(
        ["uploading", "queued", "indexing", "reading", "arranging", "labelling", "combining", "done"]
    )
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    eta_seconds = serializers.IntegerField(allow_null=True, help_text="Null while nobody can tell.")


class ReportCountsSerializer(serializers.Serializer):
    """What became of the files of the upload."""

    accepted = serializers.IntegerField()
    skipped = serializers.IntegerField()
    rejected = serializers.IntegerField()


class DatasetSerializer(serializers.ModelSerializer):
    owner = serializers.CharField(source="owner.username", help_text="User name.")
    is_new = serializers.BooleanField(help_text="Yours, and not opened by you yet.")
    usage = UsageSerializer(source="*")
    progress = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()

    class Meta:
        model = Dataset
        fields = [
            "id",
            "name",
            "description",
            "owner",
            "status",
            "status_detail",
            "image_format",
            "study_count",
            "image_count",
            "size_bytes",
            "annotation_data_count",
            "created_at",
            "is_new",
            "origin",
            "deidentified",
            "usage",
            "progress",
            "report",
        ]
        read_only_fields = fields

    def get_progress(self, dataset: Dataset) -> ProgressSerializer:
        progress: Progress = progress_of(dataset)
        return ProgressSerializer(progress).data

    def get_report(self, dataset: Dataset) -> ReportCountsSerializer:
        counts: ReportCounts = report_of(dataset)
        return ReportCountsSerializer(counts).data


class DatasetUploadSerializer(serializers.Serializer):
    """A whole file in one request."""

    file = serializers.FileField(
        allow_empty_file=True, max_length=None, help_text="A zip, or a single DICOM, JPEG or PNG file."
    )
    name = serializers.CharField(required=False, allow_blank=True, help_text="Default: the file's name.")
    deidentify = serializers.BooleanField(required=False, allow_null=True, default=None)


class DatasetEditSerializer(serializers.Serializer):
    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False, allow_blank=True)


class ConfirmationSerializer(serializers.Serializer):
    confirmation = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, trim_whitespace=False, help_text="The word DELETE."
    )


class ProblemSerializer(serializers.ModelSerializer):
    outcome = serializers.ChoiceField(Outcome.choices)

    class Meta:
        model = Problem
        fields = ["path", "outcome", "code", "message"]


class UploadPartSerializer(serializers.ModelSerializer):
    class Meta:
        model = UploadPart
        fields = ["number", "etag", "size"]


class UploadSerializer(serializers.ModelSerializer):
    dataset = serializers.SerializerMethodField(help_text="Id of the dataset, once the upload is complete.")
    dataset_id = serializers.IntegerField(help_text="Id of the dataset, from the start.")
    part_count = serializers.IntegerField()
    parts = UploadPartSerializer(many=True, source="received", help_text="Received so far.")

    class Meta:
        model = Upload
        fields = [
            "id",
            "filename",
            "size",
            "part_size",
            "part_count",
            "state",
            "expires_at",
            "dataset",
            "dataset_id",
            "parts",
        ]
        read_only_fields = fields

    def get_dataset(self, upload: Upload) -> int | None:
        return None if upload.state == UploadState.OPEN else upload.dataset_id


class UploadStartSerializer(serializers.Serializer):
    filename = serializers.CharField(max_length=4096, trim_whitespace=False)
    size = serializers.IntegerField(help_text="Bytes of the whole file.")
    name = serializers.CharField(required=False, allow_blank=True, allow_null=True)
    deidentify = serializers.BooleanField(required=False, allow_null=True, default=None)


class PartUrlSerializer(serializers.Serializer):
    url = serializers.URLField(help_text="PUT the part's bytes here; the answer carries its ETag.")


class ReceivedPartSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    etag = serializers.CharField(max_length=100)


class UploadCompletionSerializer(serializers.Serializer):
    parts = ReceivedPartSerializer(many=True, allow_empty=False)


class StudySerializer(serializers.ModelSerializer):
    thumbnail_url = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = [
            "id",
            "dataset",
            "name",
            "position",
            "study_instance_uid",
            "modality",
            "description",
            "image_count",
            "thumbnail_url",
        ]
        read_only_fields = fields

    def get_thumbnail_url(self, study: Study) -> str | None:
        cover = study.cover
        if cover is None or not cover.blob.has_thumbnail:
            return None
        return reverse("api:image-thumbnail", args=[cover.pk], request=self.context["request"])


class ImageSerializer(serializers.ModelSerializer):
    series_instance_uid = serializers.SerializerMethodField()
    size_bytes = serializers.IntegerField(source="blob.size")
    sha256 = serializers.CharField(source="blob.digest")
    thumbnail_url = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = [
            "id",
            "dataset",
            "study",
            "path",
            "position",
            "format",
            "width",
            "height",
            "frames",
            "bits_stored",
            "photometric_interpretation",
            "transfer_syntax_uid",
            "sop_class_uid",
            "sop_instance_uid",
            "series_instance_uid",
            "instance_number",
            "window_center",
            "window_width",
            "size_bytes",
            "sha256",
            "undrawable",
            "duplicate",
            "burned_in_risk",
            "thumbnail_url",
            "file_url",
        ]
        read_only_fields = fields

    def get_series_instance_uid(self, image: Image) -> str:
        return image.series.series_instance_uid if image.series else ""

    def get_thumbnail_url(self, image: Image) -> str | None:
        return self._link("image-thumbnail", image) if image.blob.has_thumbnail else None

    def get_file_url(self, image: Image) -> str:
        return self._link("image-file", image)

    def _link(self, name: str, image: Image) -> str:
        return reverse(f"api:{name}", args=[image.pk], request=self.context["request"])


class RenderingSerializer(serializers.Serializer):
    """Which frame, and how its grey values are shown: by the file's own window where none is given."""

    frame = serializers.IntegerField(default=1, min_value=1, help_text="Counted from 1.")
    window_center = serializers.FloatField(required=False, help_text="In modality units; with `window_width`.")
    window_width = serializers.FloatField(required=False, help_text="In modality units; above 0.")

    def validate_frame(self, frame: int) -> int:
        frames = self.context["image"].frames
        if frame > frames:
            raise serializers.ValidationError(_("The image has %(frames)d frames.") % {"frames": frames})
        return frame

    def validate_window_center(self, center: float) -> float:
        if not math.isfinite(center):
            raise serializers.ValidationError(_("Not a number."))
        return center

    def validate_window_width(self, width: float) -> float:
        if not (math.isfinite(width) and width > 0):
            raise serializers.ValidationError(_("A window is wider than 0."))
        return width

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        missing = {"window_center", "window_width"} - values.keys()
        if len(missing) == 1:
            raise serializers.ValidationError({missing.pop(): _("Centre and width are given together.")})
        return values

    def window(self) -> tuple[float, float] | None:
        """Return (centre, width), or None if none was asked for."""
        if "window_width" not in self.validated_data:
            return None
        return self.validated_data["window_center"], self.validated_data["window_width"]


class DeletionImpactSerializer(serializers.Serializer):
    """How many rows of each kind go, and how many bytes; ``shared_bytes`` of them stay for other datasets."""

    studies = serializers.IntegerField()
    images = serializers.IntegerField()
    annotation_data = serializers.IntegerField()
    annotations = serializers.IntegerField()
    annotation_projects = serializers.IntegerField()
    annotation_jobs = serializers.IntegerField()
    training_tasks = serializers.IntegerField()
    inference_jobs = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    shared_bytes = serializers.IntegerField()


class DeletionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(["waiting", "running", "done", "restored"])
    target_type = serializers.CharField(help_text="For example datasets.dataset")
    target_id = serializers.IntegerField()
    target_name = serializers.CharField()
    impact = serializers.DictField(help_text="What was counted when it was asked for.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Rows erased so far, by kind.")
    objects_removed = serializers.IntegerField()
    bytes_removed = serializers.IntegerField()
    requested_by = serializers.CharField(help_text="User name.")
    requested_at = serializers.DateTimeField()
    restorable_until = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RestoredSerializer(serializers.Serializer):
    """What is back."""

    target_type = serializers.CharField(help_text="For example datasets.dataset")
    target_id = serializers.IntegerField()
    dataset = serializers.SerializerMethodField(help_text="Id of the dataset, if it is one that is back.")

    def get_dataset(self, restored: dict[str, Any]) -> int | None:
        return restored["target_id"] if restored["target_type"] == Dataset._meta.label_lower else None
