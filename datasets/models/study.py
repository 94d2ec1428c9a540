"""Studies, and the series inside DICOM studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from datasets import hooks

from .dataset import Dataset

if TYPE_CHECKING:
    from deepcap.accounts.models import User


def seen_by(user: User, *, study: str) -> Q:
    """Return what is true for rows of the datasets this person may see, and for rows of studies given to them.

    ``study`` is the row's column with the study's id. One study more or less is looked up, not all that were given.
    """
    condition = Q(dataset__in=Dataset.objects.visible_to(user))
    for shown_to in hooks.showing:
        condition |= Q(Exists(shown_to(user).filter(study_id=OuterRef(study))))
    return condition


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: User) -> Self:
        """Select the studies of the datasets this person may see, and others' that were given to them to work on."""
        return self.filter(seen_by(user, study="pk"))


class Study(models.Model):
    """The unit that is counted, listed and assigned: one DICOM study, or one JPEG or PNG image."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="studies", db_index=False)
    key = models.CharField(max_length=1024, help_text="StudyInstanceUID of a DICOM study, otherwise the image's path.")
    name = models.CharField(max_length=1024)
    position = models.PositiveIntegerField(default=0, help_text="Place in the dataset, from 0 without gaps.")
    study_instance_uid = models.CharField(max_length=64, blank=True)
    modality = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=200, blank=True)
    study_date = models.CharField(max_length=10, blank=True)
    image_count = models.PositiveIntegerField(default=1)
    cover = models.ForeignKey("datasets.Image", models.SET_NULL, null=True, related_name="+")
    patient_key = models.CharField(
        max_length=32, blank=True, db_default="", help_text="Keyed digest of who it shows; empty where nobody is named."
    )
    source_study = models.BigIntegerField(null=True, help_text="Id of the study it was copied from, by value.")

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["dataset", "position"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "key"], name="a_study_is_in_its_dataset_once"),
        ]
        indexes = [
            models.Index(fields=["dataset", "position"], name="study_in_display_order"),
            models.Index(
                fields=["source_study", "dataset"],
                condition=models.Q(source_study__isnull=False),
                name="study_by_what_it_copies",
            ),
            models.Index(fields=["patient_key"], condition=~models.Q(patient_key=""), name="study_by_patient_key"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("viewer-study", args=[self.pk])


class Series(models.Model):
    """A DICOM series of a study."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="series", db_index=False)
    series_instance_uid = models.CharField(max_length=64)
    series_number = models.IntegerField(null=True)
    modality = models.CharField(max_length=16, blank=True)
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.UniqueConstraint(fields=["study", "series_instance_uid"], name="a_series_is_in_its_study_once"),
        ]

    def __str__(self) -> str:
        return self.series_instance_uid
