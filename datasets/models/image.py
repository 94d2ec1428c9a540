"""An image: one DICOM instance with pixels, one JPEG or one PNG, at one path of one dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from .blob import Blob
from .dataset import Dataset
from .study import Series, Study, seen_by

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class ImageFormat(models.TextChoices):
    DICOM = "DICOM", "DICOM"
    JPEG = "JPEG", "JPEG"
    PNG = "PNG", "PNG"


class Duplicate(models.TextChoices):
    NO = "", "no"
    BYTES = "bytes", "same bytes as another image of the dataset"
    SOP_INSTANCE = "sop_instance", "same SOPInstanceUID as another image of the dataset, other bytes"


class ImageQuerySet(models.QuerySet["Image"]):
    def visible_to(self, user: User) -> Self:
        """Select the images of the datasets this person may see, and of others' studies given to them to work on."""
        return self.filter(seen_by(user, study="study_id"))


class Image(models.Model):
    """What lists and the viewer need of an image without opening its bytes again."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images", db_index=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="images", db_index=False)
    series = models.ForeignKey(Series, models.CASCADE, null=True, related_name="images")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="images")
    path = models.CharField(max_length=1024, help_text="Path inside the upload, which identifies the image.")
    position = models.PositiveIntegerField(default=0, help_text="Place in the study, from 0 without gaps.")

    format = models.CharField(max_length=5, choices=ImageFormat.choices)
    width = models.PositiveIntegerField(help_text="Pixels, as displayed.")
    height = models.PositiveIntegerField(help_text="Pixels, as displayed.")
    frames = models.PositiveIntegerField(default=1)
    bits_stored = models.PositiveSmallIntegerField()
    photometric_interpretation = models.CharField(max_length=16, blank=True)
    transfer_syntax_uid = models.CharField(max_length=64, blank=True)
    sop_class_uid = models.CharField(max_length=64, blank=True)
    sop_instance_uid = models.CharField(max_length=64, blank=True)
    instance_number = models.IntegerField(null=True)
    slice_position = models.FloatField(null=True, help_text="Millimetres along the slice normal.")
    window_center = models.FloatField(null=True)
    window_width = models.FloatField(null=True)
    attributes = models.JSONField(default=dict, help_text="Further attributes for a viewer; none identifies a patient.")

    undrawable = models.CharField(max_length=60, blank=True, help_text="Code of the reason why it cannot be drawn.")
    duplicate = models.CharField(max_length=12, blank=True, choices=Duplicate.choices)
    burned_in_risk = models.BooleanField(default=False, help_text="Text may be burned into the pixels.")

    source_number = models.PositiveSmallIntegerField(
        null=True, help_text="Of a combined dataset: DatasetSource.number."
    )
    source_image = models.BigIntegerField(null=True, help_text="Id of the image it was copied from, by value.")
    source_path = models.CharField(
        max_length=1024, blank=True, db_default="", help_text="Path in the source, where it is another one here."
    )

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "path"], name="a_path_is_in_its_dataset_once"),
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0, frames__gt=0), name="an_image_has_pixels"
            ),
        ]
        indexes = [
            models.Index(fields=["study", "position"], name="image_in_display_order"),
            models.Index(
                fields=["source_image", "dataset"],
                condition=models.Q(source_image__isnull=False),
                name="image_by_what_it_copies",
            ),
        ]

    def __str__(self) -> str:
        return self.path
