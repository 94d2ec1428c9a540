"""A training task: a model is trained on annotation data; the model belongs to the task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, Split
from datasets.models import Blob, Dataset, DatasetStatus

from .work import DELETING, ServiceWork, ServiceWorkQuerySet, WorkStatus

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class TrainingTaskQuerySet(ServiceWorkQuerySet):
    def alive(self) -> Self:
        """Leave out what is being deleted, with or without its annotation data or their dataset."""
        return (
            self.exclude(status=DELETING)
            .exclude(annotation_data__status=AnnotationDataStatus.DELETING)
            .exclude(annotation_data__dataset__status=DatasetStatus.DELETING)
        )

    def visible_to(self, user: User) -> Self:
        """Select the tasks on annotation data of the datasets this person may see."""
        return self.alive().filter(annotation_data__dataset__in=Dataset.objects.visible_to(user))


class TrainingTask(ServiceWork):
    """There is no training without annotation data: the column refuses to be empty, and the task goes with them."""

    annotation_data = models.ForeignKey(AnnotationData, models.CASCADE, related_name="training_tasks", db_index=False)
    split = models.ForeignKey(
        Split,
        models.PROTECT,
        null=True,
        related_name="training_tasks",
        help_text=_("What it is trained and tested on; kept as long as a task says so."),
    )
    name = models.CharField(_("name"), max_length=200)
    annotation_type = models.CharField(max_length=30, choices=AnnotationType.choices)
    architecture = models.CharField(_("model architecture"), max_length=100, blank=True)
    hyperparameters = models.JSONField(default=dict)
    status = models.CharField(max_length=20, choices=WorkStatus.choices, default=WorkStatus.WAITING)
    status_detail = models.CharField(max_length=500, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text=_("Percent."))
    performance = models.FloatField(null=True, help_text=_("The metric that the service calls its result, 0 to 1."))
    performance_metric = models.CharField(max_length=100, blank=True)
    curve = models.JSONField(default=list, help_text=_("Up to 30 values of that metric over time, for lists."))
    model = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="training_tasks")
    model_filename = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    inference_job_count = models.PositiveIntegerField(default=0)

    objects = TrainingTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("training task")
        verbose_name_plural = _("training tasks")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="a_training_task_has_a_name"),
            models.CheckConstraint(condition=Q(progress__lte=100), name="training_progress_is_a_percentage"),
        ]
        indexes = [
            models.Index(fields=["annotation_data", "-created_at", "-id"], name="training_newest_first"),
            models.Index(fields=["status", "id"], name="training_waits_in_line"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("training-task-detail", args=[self.pk])


class TrainingMetric(models.Model):
    """One value of one metric at one step: a row as narrow as can be, because there are many."""

    training_task = models.ForeignKey(TrainingTask, models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=100)
    step = models.PositiveIntegerField()
    value = models.FloatField()

    class Meta:
        verbose_name_plural = _("training metrics")
        ordering = ["training_task", "name", "step"]
        constraints = [
            models.UniqueConstraint(fields=["training_task", "name", "step"], name="a_metric_has_one_value_a_step"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.step}: {self.value}"
