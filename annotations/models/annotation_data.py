"""Annotation data: one named, typed set of labels on one dataset, and the images it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from datasets.models import Dataset, Image

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class AnnotationType(models.TextChoices):
    SINGLE_LABEL = "single_label_classification", _("Single-label Classification")
    MULTI_LABEL = "multi_label_classification", _("Multi-label Classification")
    DETECTION = "object_detection", _("Object Detection")
    SEGMENTATION = "image_segmentation", _("Image Segmentation")


class AnnotationDataStatus(models.TextChoices):
    IMPORTING = "importing", _("Importing")
    AVAILABLE = "available", _("Available")
    IMPORT_FAILED = "import_failed", _("Import failed")
    DELETING = "deleting", _("Deleting")


class SourceKind(models.TextChoices):
    LOCAL_UPLOAD = "local_upload", _("Local Upload")
    ANNOTATION_PROJECT = "annotation_project", _("Annotation project")
    INFERENCE_JOB = "inference_job", _("Inference job")
    COMBINED = "combined", _("Combined")
    CONVERTED = "converted", _("Converted")
    GALLERY = "gallery", _("Gallery")
    API = "api", _("API")


class AnnotationDataQuerySet(models.QuerySet["AnnotationData"]):
    def visible_to(self, user: User) -> Self:
        """Select the annotation data of the datasets this person may see; those being deleted are gone already."""
        alive = self.exclude(status=AnnotationDataStatus.DELETING)
        return alive.filter(dataset__in=Dataset.objects.visible_to(user))


class AnnotationData(models.Model):
    """One named, typed set of labels. Counts are stored, written by the transaction that changes what they count.

    An import that found problems leaves what was good in place under the status ``import_failed`` until its owner
    keeps it, replaces the file or deletes it.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="annotation_data", db_index=False)
    name = models.CharField(_("name"), max_length=200)
    annotation_type = models.CharField(max_length=30, choices=AnnotationType.choices, blank=True)
    status = models.CharField(
        max_length=20, choices=AnnotationDataStatus.choices, default=AnnotationDataStatus.IMPORTING
    )
    status_detail = models.CharField(max_length=500, blank=True)
    source_kind = models.CharField(max_length=20, choices=SourceKind.choices, default=SourceKind.LOCAL_UPLOAD)
    source_detail = models.JSONField(
        default=dict, help_text=_("What it came from, by value: it outlives what it came from. At least a name.")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    study_count = models.PositiveIntegerField(default=0, help_text=_("Studies with at least one listed image."))
    image_count = models.PositiveIntegerField(default=0, help_text=_("Listed images, those with nothing to label too."))
    annotation_count = models.PositiveIntegerField(default=0)
    training_task_count = models.PositiveIntegerField(default=0)
    inference_job_count = models.PositiveIntegerField(default=0)
    annotation_project_count = models.PositiveIntegerField(default=0)

    objects = AnnotationDataQuerySet.as_manager()

    class Meta:
        verbose_name = _("annotation data")
        verbose_name_plural = _("annotation data")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "name"],
                condition=~Q(status="deleting"),
                name="a_dataset_uses_an_annotation_data_name_once",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="annotation_data_have_a_name"),
            models.CheckConstraint(
                condition=~Q(status="available") | ~Q(annotation_type=""), name="available_annotation_data_have_a_type"
            ),
        ]
        indexes = [models.Index(fields=["dataset", "-created_at", "-id"], name="annotation_data_newest_first")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("annotation-data-detail", args=[self.pk])


class AnnotatedImage(models.Model):
    """An image that annotation data list. Without annotations it is a negative: there is nothing to label on it.

    Images that are not listed were not looked at; training leaves them out.
    """

    annotation_data = models.ForeignKey(AnnotationData, models.CASCADE, related_name="listed", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="annotated")
    position = models.PositiveIntegerField(default=0, help_text="Place in the data's display order, from 0.")
    annotation_count = models.PositiveIntegerField(
        default=0, help_text="Annotations that say it has something; of classes, those it has."
    )
    problems = models.PositiveSmallIntegerField(
        db_default=0, help_text="What is odd about its annotations: bits of annotations.statistics.problems."
    )

    class Meta:
        verbose_name_plural = _("annotated images")
        ordering = ["annotation_data", "position"]
        constraints = [
            models.UniqueConstraint(fields=["annotation_data", "image"], name="annotation_data_list_an_image_once"),
        ]
        indexes = [
            models.Index(fields=["annotation_data", "position"], name="annotated_in_display_order"),
            models.Index(fields=["annotation_data", "annotation_count", "id"], name="annotated_by_count"),
            models.Index(
                fields=["annotation_data", "position"], condition=Q(problems__gt=0), name="annotated_with_problems"
            ),
        ]

    def __str__(self) -> str:
        return f"image {self.image_id} in annotation data {self.annotation_data_id}"
