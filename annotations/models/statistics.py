"""What is counted of annotation data, kept so that no page counts it."""

from __future__ import annotations

from django.db import models

from .annotation_data import AnnotationData


class Statistics(models.Model):
    """The numbers of the report, computed by a worker whenever the annotations have changed."""

    annotation_data = models.OneToOneField(AnnotationData, models.CASCADE, related_name="statistics", primary_key=True)
    numbers = models.JSONField(default=dict, help_text="Totals, label distribution, the type's distributions, advice.")
    computed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "statistics"

    def __str__(self) -> str:
        return f"statistics of annotation data {self.pk}"
