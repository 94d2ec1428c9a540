"""Training tasks and inference jobs: to look at, to be stopped, to be taken away from a service that hangs."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from deepcap.common.admin import LookOnlyAdmin, link, list_of
from usage.models import InferenceJob, TrainingTask

from .operations import STATUS_COLOURS, STOP, TAKE_AWAY

CLAIM = ("claimed_as", "claimed_by", "heartbeat_at", "lease_until", "attempts")
WHEN = ("created_by", "created_at", "started_at", "finished_at")


class WorkAdmin(LookOnlyAdmin):
    list_filter = ("status",)
    readonly_fields = ("shown_status", "created_at", "claimed_by", "heartbeat_at", "lease_until")
    operations = (STOP, TAKE_AWAY)

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, row: TrainingTask | InferenceJob) -> str:
        return row.get_status_display()


@admin.register(TrainingTask)
class TrainingTaskAdmin(WorkAdmin):
    list_display = (
        "name",
        "annotation_data",
        "annotation_type",
        "shown_status",
        "progress",
        "performance",
        "claimed_as",
        "attempts",
        "created_at",
    )
    related = ("annotation_data", "created_by", "claimed_by", "model")
    search_fields = ("name", "=annotation_data__name")
    fields = (
        "annotation_data",
        "name",
        "annotation_type",
        "architecture",
        "hyperparameters",
        "shown_status",
        "status_detail",
        "progress",
        "performance",
        "performance_metric",
        "model",
        "model_filename",
        "inferences",
        *WHEN,
        *CLAIM,
    )
    readonly_fields = (*WorkAdmin.readonly_fields, "inferences")

    @display(description=gettext_lazy("inference jobs"))
    def inferences(self, task: TrainingTask) -> str:
        return link(list_of(InferenceJob, training_task__id__exact=task.pk), gettext_lazy("Inference jobs"))


@admin.register(InferenceJob)
class InferenceJobAdmin(WorkAdmin):
    list_display = (
        "name",
        "training_task",
        "dataset",
        "shown_status",
        "progress",
        "accuracy",
        "claimed_as",
        "attempts",
        "created_at",
    )
    related = ("training_task", "dataset", "ground_truth", "created_by", "claimed_by", "predictions")
    search_fields = ("name", "=dataset__name", "=training_task__name")
    fields = (
        "training_task",
        "dataset",
        "ground_truth",
        "prediction_only",
        "name",
        "shown_status",
        "status_detail",
        "progress",
        "accuracy",
        "metrics",
        "predictions",
        "predictions_filename",
        "predictions_format",
        *WHEN,
        *CLAIM,
    )
