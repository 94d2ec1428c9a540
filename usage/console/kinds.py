"""The four kinds of records as the console names, lists and addresses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from usage.models import (
    TRANSITIONS,
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    JobStatus,
    ProjectStatus,
    TrainingTask,
    WorkStatus,
)
from usage.services.lists import annotation_jobs, annotation_projects, inference_jobs, training_tasks
from usage.services.rules import dataset_of


@dataclass(frozen=True)
class Kind:
    """``rows`` selects what a person may see; what is ``under_way`` is asked for again every ``seconds``."""

    slug: str
    model: type[Model]
    rows: Callable[..., QuerySet[Any]]
    under_way: tuple[str, ...]
    seconds: int

    def url(self, page: str, *args: int) -> str:
        return reverse(f"{self.slug}-{page}", args=args)

    def get_or_404(self, request: HttpRequest, pk: int) -> Any:
        """Return a record this person may see. Raises Http404, also for a stranger's."""
        return get_object_or_404(self.rows(user=request.user), pk=pk)

    @property
    def stoppable(self) -> tuple[str, ...]:
        """The statuses in which a record can be stopped."""
        return TRANSITIONS[self.model]["stop"].sources


WORK = (WorkStatus.WAITING.value, WorkStatus.RUNNING.value)
PROJECTS = Kind(
    "annotation-project",
    AnnotationProject,
    annotation_projects,
    (ProjectStatus.PUBLISHING.value, ProjectStatus.IN_PROGRESS.value),
    10,
)
JOBS = Kind("annotation-job", AnnotationJob, annotation_jobs, (JobStatus.ONGOING.value,), 10)
TRAININGS = Kind("training-task", TrainingTask, training_tasks, WORK, 3)
INFERENCES = Kind("inference-job", InferenceJob, inference_jobs, WORK, 3)
KINDS = (PROJECTS, JOBS, TRAININGS, INFERENCES)


def leads(request: HttpRequest, row: Any) -> bool:
    """Tell whether this person decides about ``row``: owns the dataset it is about, or is an operator."""
    return bool(request.user.is_superuser or dataset_of(row).owner_id == request.user.pk)
