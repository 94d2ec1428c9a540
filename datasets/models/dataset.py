"""A dataset: a named set of studies that belongs to one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class DatasetStatus(models.TextChoices):
    UPLOADING = "uploading", _("Uploading")
    QUEUED = "queued", _("Queued")
    PREPARING = "preparing", _("Preparing")
    AVAILABLE = "available", _("Available")
    PREPARATION_FAILED = "preparation_failed", _("Preparation failed")
    DELETING = "deleting", _("Deleting")


UNDER_WAY = (DatasetStatus.UPLOADING, DatasetStatus.QUEUED, DatasetStatus.PREPARING)


class Origin(models.TextChoices):
    UPLOAD = "upload", _("Upload")
    COMBINED = "combined", _("Combined")
    GALLERY = "gallery", _("Gallery")


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def visible_to(self, user: User) -> Self:
        """Select what this person may see; every page and endpoint starts here."""
        alive = self.exclude(status=DatasetStatus.DELETING)
        return alive if user.is_superuser else alive.filter(owner_id=user.pk)

    def with_is_new(self, user: User) -> Self:
        """Add ``is_new``: this user's own dataset, and not opened by them yet."""
        opened = DatasetOpening.objects.filter(dataset=OuterRef("pk"), user_id=user.pk)
        return self.annotate(is_new=Q(owner_id=user.pk) & ~Exists(opened))


class Dataset(models.Model):
    """A named set of studies. Counts and covers are stored, written by the transaction that changes what they count."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="datasets")
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), max_length=4000, blank=True)
    status = models.CharField(max_length=20, choices=DatasetStatus.choices, default=DatasetStatus.QUEUED)
    status_detail = models.CharField(max_length=500, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.UPLOAD)
    image_format = models.CharField(max_length=20, blank=True, help_text=_("DICOM; JPG/PNG; DICOM, JPG/PNG"))
    deidentified = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    study_count = models.PositiveIntegerField(default=0)
    image_count = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0, help_text=_("Bytes of the distinct blobs behind the images."))
    covers = models.JSONField(default=list, help_text=_("Ids of up to three images shown in lists."))
    annotation_data_count = models.PositiveIntegerField(default=0)
    annotation_project_count = models.PositiveIntegerField(default=0)
    annotation_job_count = models.PositiveIntegerField(default=0)
    training_task_count = models.PositiveIntegerField(default=0)
    inference_job_count = models.PositiveIntegerField(default=0)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=~Q(status="deleting"),
                name="an_owner_uses_a_dataset_name_once",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="a_dataset_has_a_name"),
            models.CheckConstraint(
                condition=~Q(status="available") | Q(image_count__gt=0), name="an_available_dataset_has_images"
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="dataset_newest_first"),
            models.Index(fields=["owner", "-study_count", "-id"], name="dataset_most_studies"),
            models.Index(fields=["owner", "-annotation_data_count", "-id"], name="dataset_most_annotated"),
            models.Index(fields=["status"], name="dataset_status"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("dataset-detail", args=[self.pk])

    @property
    def is_under_way(self) -> bool:
        """True while an upload or a preparation is still changing it."""
        return self.status in UNDER_WAY


class DatasetOpening(models.Model):
    """This person has opened this dataset: it is no longer "New" to them."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="openings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "user"], name="a_dataset_is_first_opened_once_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} opened {self.dataset_id}"
