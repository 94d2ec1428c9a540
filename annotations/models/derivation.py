"""Annotation data made from annotation data: converted to another type, or with labels merged."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from deepcap.common.leases import LeasedWork

from .annotation_data import AnnotationData


class Operation(models.TextChoices):
    CONVERT = "convert", _("Convert")
    MERGE = "merge", _("Merge labels")


class Derivation(LeasedWork):
    """The work of making ``annotation_data`` from ``source``; what is made stands on its own afterwards."""

    annotation_data = models.OneToOneField(AnnotationData, models.CASCADE, related_name="derivation")
    source = models.ForeignKey(AnnotationData, models.SET_NULL, null=True, related_name="derivations")
    operation = models.CharField(max_length=10, choices=Operation.choices)
    options = models.JSONField(default=dict, help_text="Labels taken, and which are merged into which.")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.operation} into {self.annotation_data_id}"
