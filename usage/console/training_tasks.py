"""``/training-tasks/``: the list, a task, and the form that asks for a training."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from annotations.models import AnnotationType
from datasets.console.access import ConsolePage
from usage.models import InferenceJob
from usage.services.training_tasks import create_training_task

from .curves import sparkline
from .forms import FormPage
from .kinds import TRAININGS, leads
from .listing import UsageList
from .live import live
from .training_form import TrainingForm

FEW = 10


class TrainingTaskList(UsageList):
    template_name = "usage/training_task_list.html"
    kind = TRAININGS
    narrowed_by = {"dataset": "annotation_data__dataset", "annotation_data": "annotation_data"}
    searched = ("name", "annotation_data__name", "architecture")
    columns = {"performance": "performance"}

    def filtered(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], dict[str, Any]]:
        wanted = self.request.GET.get("annotation_type", "")
        wanted = wanted if wanted in AnnotationType.values else ""
        return (rows.filter(annotation_type=wanted) if wanted else rows), {"annotation_type": wanted}

    def shown(self, rows: list[Any]) -> list[Any]:
        for row in rows:
            row.spark = sparkline(row.curve)
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data() | {"types": AnnotationType.choices}


class TrainingTaskDetail(ConsolePage):
    template_name = "usage/training_task_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        task = TRAININGS.get_or_404(self.request, pk)
        inferences = InferenceJob.objects.visible_to(self.request.user).filter(training_task=task)
        return live(TRAININGS, task) | {
            "hyperparameters": list(task.hyperparameters.items()),
            "inferences": inferences.select_related("dataset").order_by("-created_at", "-pk")[:FEW],
            "leads": leads(self.request, task),
        }


class TrainingTaskCreate(FormPage):
    """START TRAINING: with ``?annotation_data=`` these are chosen already."""

    template_name = "usage/training_task_form.html"
    form_class = TrainingForm

    def done(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        return redirect(create_training_task(by=request.user, **values))
