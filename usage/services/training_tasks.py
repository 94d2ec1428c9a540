"""Making and renaming training tasks, and what a training service says of them while it works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, Split
from datasets.errors import ValueRefused
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.counting import count
from usage.models import TrainingMetric, TrainingTask
from usage.under import counted_by

from .rules import (
    clean_name,
    hold_annotation_data,
    hold_split,
    require_annotation_data,
    require_owner,
    require_ownership,
)
from .work import change, hold_for_report

CURVE_POINTS = 30


class Measurement(NamedTuple):
    """The value of a metric at a step: an epoch, an iteration."""

    name: str
    step: int
    value: float


@transaction.atomic
def create_training_task(
    *,
    annotation_data: AnnotationData | None,
    by: User,
    name: str,
    annotation_type: str | None = None,
    architecture: str = "",
    hyperparameters: Mapping[str, object] | None = None,
    split: Split | None = None,
) -> TrainingTask:
    """Return a task that waits for a training service; ``split`` says what it is to be trained and tested on.

    Raises TrainingNeedsAnnotationData, NotTheOwner, NotUsable, and ValueRefused for a name that cannot be one, an
    annotation type that is not that of the annotation data, or a split of others.
    """
    annotation_data = require_annotation_data(annotation_data)
    require_ownership(annotation_data.dataset, by)
    name = clean_name(name)
    hold_annotation_data(annotation_data)
    if annotation_type not in (None, annotation_data.annotation_type):
        raise ValueRefused("annotation_type", _("These annotation data are of another type."), code="type_mismatch")
    if split is not None:
        hold_split(split, annotation_data)
    task = TrainingTask.objects.create(
        annotation_data=annotation_data,
        split=split,
        name=name,
        annotation_type=annotation_data.annotation_type,
        architecture=architecture.strip()[:100],
        hyperparameters=dict(hyperparameters or {}),
        created_by=by,
    )
    count(counted_by(task))
    record(actor=by, action="trainingtask.created", target=task, annotation_data=annotation_data.pk)
    return task


@transaction.atomic
def rename_training_task(*, training_task: TrainingTask, by: User, name: str) -> TrainingTask:
    """Raises NotTheOwner, and ValueRefused."""
    require_owner(training_task, by)
    TrainingTask.objects.filter(pk=training_task.pk).update(name=clean_name(name))
    record(actor=by, action="trainingtask.renamed", target=training_task)
    training_task.refresh_from_db()
    return training_task


@transaction.atomic
def add_metrics(*, training_task: TrainingTask, by: User, claim: str | None, metrics: Sequence[Measurement]) -> int:
    """Keep the values; a value sent again for the same step replaces the first. Returns how many were kept.

    The values of the metric that the service calls its performance make up the task's curve; as long as it has named
    none, that is the first it sends. Raises NotTheOwner, ClaimLost, and WorkEnded.
    """
    hold_for_report(training_task, by=by, claim=claim)
    latest = {(metric.name, metric.step): metric for metric in metrics}
    TrainingMetric.objects.bulk_create(
        (TrainingMetric(training_task=training_task, **metric._asdict()) for metric in latest.values()),
        update_conflicts=True,
        unique_fields=["training_task", "name", "step"],
        update_fields=["value"],
        batch_size=500,
    )
    named = training_task.performance_metric or (metrics[0].name if metrics else "")
    if any(metric.name == named for metric in metrics):
        draw_curve(training_task, named)
    return len(latest)


def draw_curve(training_task: TrainingTask, metric: str) -> None:
    """Keep up to CURVE_POINTS values of ``metric``, evenly spread over its steps, on the task's row; the last is the
    latest value."""
    values = list(training_task.metrics.filter(name=metric).order_by("step").values_list("value", flat=True))
    last = len(values) - 1
    points = min(CURVE_POINTS, len(values))
    curve = [values[round(n * last / max(1, points - 1))] for n in range(points)]
    TrainingTask.objects.filter(pk=training_task.pk).update(curve=curve, performance_metric=metric)


def metrics_of(*, training_task: TrainingTask) -> dict[str, list[list[float]]]:
    """Return [step, value] by metric, in order of steps."""
    curves: dict[str, list[list[float]]] = {}
    for name, step, value in training_task.metrics.order_by("name", "step").values_list("name", "step", "value"):
        curves.setdefault(name, []).append([step, value])
    return curves


def change_training_task(
    *,
    training_task: TrainingTask,
    by: User,
    status: str | None = None,
    status_detail: str | None = None,
    claim: str | None = None,
    **values: object,
) -> TrainingTask:
    """Report on a task, or take it to another status. Raises what ``work.advance`` and ``work.report`` raise."""
    change(row=training_task, by=by, status=status, detail=status_detail, claim=claim, **values)
    metric = values.get("performance_metric")
    if metric and training_task.metrics.filter(name=metric).exists():
        draw_curve(training_task, str(metric))
    return training_task
