"""An inference job: a trained model predicts the annotations of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotations.models import AnnotationData
from datasets.models import Blob, Dataset, DatasetStatus

from .training_task import TrainingTask
from .work import DELETING, ServiceWork, ServiceWorkQuerySet, WorkStatus

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class InferenceJobQuerySet(ServiceWorkQuerySet):
    def alive(self) -> Self:
        """Leave out what is being deleted, with or without its dataset or its model."""
        return (
            self.exclude(status=DELETING)
            .exclude(dataset__status=DatasetStatus.DELETING)
            .filter(training_task__in=TrainingTask.objects.alive())
        )

    def visible_to(self, user: User) -> Self:
        """Select the jobs on the datasets this person may see."""
        return self.alive().filter(dataset__in=Dataset.objects.visible_to(user))


class InferenceJob(ServiceWork):
    """Predictions of a model on a dataset, its own or another. It goes with either of them.

    Without ground truth there are predictions and no metrics. What was made of the predictions stands on its own.
    """

    training_task = models.ForeignKey(TrainingTask, models.CASCADE, related_name="inference_jobs")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="inference_jobs", db_index=False)
    ground_truth = models.ForeignKey(AnnotationData, models.SET_NULL, null=True, related_name="inference_jobs")
    prediction_only = models.BooleanField(default=True, help_text=_("Made without ground truth."))
    name = models.CharField(_("name"), max_length=200)
    status = models.CharField(max_length=20, choices=WorkStatus.choices, default=WorkStatus.WAITING)
    status_detail = models.CharField(max_length=500, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text=_("Percent."))
    accuracy = models.FloatField(null=True, help_text=_("Against the ground truth, 0 to 1."))
    metrics = models.JSONField(default=dict)
    predictions = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="inference_jobs")
    predictions_filename = models.CharField(max_length=300, blank=True)
    predictions_format = models.CharField(max_length=20, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = InferenceJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("inference job")
        verbose_name_plural = _("inference jobs")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="an_inference_job_has_a_name"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="inference_progress_is_a_percentage"),
        ]
        indexes = [
            models.Index(fields=["dataset", "-created_at", "-id"], name="inference_newest_first"),
            models.Index(fields=["status", "id"], name="inference_waits_in_line"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("inference-job-detail", args=[self.pk])
