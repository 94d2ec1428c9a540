"""Bytes on their way in: a session shaped like S3 multipart, the same over local files and S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from .dataset import Dataset

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class UploadState(models.TextChoices):
    OPEN = "open", "Open"
    COMPLETE = "complete", "Complete"
    INGESTED = "ingested", "Ingested"


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: User) -> Self:
        """Select the uploads of this person's datasets; an upload is private to its owner, superusers excepted."""
        return self.filter(dataset__in=Dataset.objects.visible_to(user))


class Upload(models.Model):
    """One file being uploaded, or waiting to be ingested.

    Once it is ingested its bytes are gone; the row remains, so that whoever asks for the upload is told its dataset.
    """

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="upload")
    filename = models.CharField(max_length=300)
    size = models.BigIntegerField()
    part_size = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=UploadState.choices, default=UploadState.OPEN)
    storage_key = models.CharField(max_length=200, unique=True)
    multipart_id = models.CharField(max_length=500, blank=True, help_text="S3's UploadId.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(size__gt=0), name="an_upload_has_bytes"),
            models.CheckConstraint(condition=models.Q(part_size__gt=0), name="an_upload_has_parts_of_some_size"),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="upload_expiry")]

    def __str__(self) -> str:
        return self.filename

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)

    def size_of_part(self, number: int) -> int:
        """Bytes of part ``number`` (from 1): all parts are equal but the last."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)


class UploadPart(models.Model):
    """A part that has arrived whole."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    etag = models.CharField(max_length=100)
    size = models.BigIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="a_part_of_an_upload_arrives_once"),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id}/{self.number}"
