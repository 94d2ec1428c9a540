"""A dataset made of others: what was asked for, how far it has come."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models import Dataset
from deepcap.common.leases import LeasedWork

from .annotation_data import AnnotationData


class CombinationStage(models.TextChoices):
    IMAGES = "images", _("Combining images")
    ARRANGING = "arranging", _("Arranging studies")
    LABELS = "labels", _("Combining labels")
    COUNTING = "counting", _("Counting")
    DONE = "done", _("Done")


class OnConflict(models.TextChoices):
    """What becomes of images that have the same bytes and of which the sources say different things."""

    KEEP_FIRST = "keep_first", _("Keep what the first dataset says")
    KEEP_ALL = "keep_all", _("Keep all")
    LEAVE_UNLABELLED = "leave_unlabelled", _("Leave unlabelled")


class Duplicates(models.TextChoices):
    """What becomes of images with the same bytes in several sources."""

    KEEP_ALL = "keep_all", _("Keep all")
    KEEP_ONCE = "keep_once", _("Keep once")


class Combination(LeasedWork):
    """The work of making ``dataset`` from others; what is made stands on its own afterwards.

    ``recipe`` is what was asked for, complete, so that it can be asked for again: ``sources`` (dataset, name,
    annotation_data, labels as {old: new, or null for none}, studies where not all), ``on_conflict``, ``duplicates``,
    ``further`` (annotation data of the only source, each with what is made of them).
    ``place`` says how far the stage has come: ``source``, ``next`` and what was counted on the way.
    """

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="combination")
    annotation_data = models.OneToOneField(AnnotationData, models.SET_NULL, null=True, related_name="combination")
    stage = models.CharField(max_length=10, choices=CombinationStage.choices, default=CombinationStage.IMAGES)
    recipe = models.JSONField(default=dict)
    place = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"combination into dataset {self.dataset_id}"
