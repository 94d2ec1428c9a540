"""The part of a record's page that changes while the work goes on, with what its template needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from deepcap.common.leases import OPEN_STATES, WorkState
from usage.models import AnnotationJob, AnnotationProject, Evaluation, InferenceJob, TrainingTask
from usage.services.metric_curves import curves_of
from usage.templatetags.usage_display import percent_of

from .curves import metric_charts
from .kinds import Kind

MOST_METRICS = 60


@dataclass(frozen=True)
class Ring:
    """A share of a whole, drawn as a ring; ``text`` says it in numbers."""

    title: str
    percentage: int
    done: int
    total: int
    done_title: str
    rest_title: str

    @property
    def rest(self) -> int:
        return self.total - self.done


def is_under_way(kind: Kind, row: Any) -> bool:
    """True while something of the row's page is going to change: the work, or the evaluation of its predictions."""
    return row.status in kind.under_way or is_evaluated_now(row)


def is_evaluated_now(row: Any) -> bool:
    return state_of_evaluation(row) in OPEN_STATES


def state_of_evaluation(row: Any) -> str | None:
    """Return how far the evaluation of an inference job is; None of other records, and where there is nothing to."""
    if not isinstance(row, InferenceJob) or row.predictions_id is None:
        return None
    return Evaluation.objects.filter(inference_job=row).values_list("state", flat=True).first()


def live(kind: Kind, row: Any) -> dict[str, Any]:
    """Return the context of ``usage/live/{kind}.html``."""
    state = state_of_evaluation(row)
    evaluated = state in OPEN_STATES
    context: dict[str, Any] = {
        "kind": kind,
        "row": row,
        "is_under_way": row.status in kind.under_way or evaluated,
        "is_evaluated_now": evaluated,
        "is_evaluation_given_up": state == WorkState.FAILED,
    }
    if isinstance(row, TrainingTask):
        context["charts"] = metric_charts(curves_of(training_task=row))
    elif isinstance(row, AnnotationProject | AnnotationJob):
        context["rings"] = rings_of(row)
    else:
        context["metrics"] = flat(row.metrics)[:MOST_METRICS]
    return context


def rings_of(row: AnnotationProject | AnnotationJob) -> list[Ring]:
    """Return how far a project is annotated and reviewed, or how far a job is."""
    if isinstance(row, AnnotationJob):
        return [_ring(_("Progress"), row.finished_count, row.study_count, _("Finished"), _("Remaining"))]
    rings = [_ring(_("Annotation"), row.annotated_count, row.study_count, _("Annotated"), _("Unannotated"))]
    if row.review_count:
        rings.append(_ring(_("Review"), row.reviewed_count, row.review_count, _("Reviewed"), _("Unreviewed")))
    return rings


def _ring(title: str, done: int, total: int, done_title: str, rest_title: str) -> Ring:
    return Ring(title, percent_of(done, total), done, total, done_title, rest_title)


def flat(metrics: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Return (name, value) of what a service says of its result, nested names joined: "per class · effusion"."""
    lines: list[tuple[str, str]] = []
    for name, value in metrics.items():
        title = f"{before} · {name}" if before else str(name)
        if isinstance(value, Mapping):
            lines += flat(value, title)
        elif isinstance(value, float):
            lines.append((title, f"{value:.4g}"))
        elif isinstance(value, list):
            lines.append((title, ", ".join(str(each) for each in value[:20])))
        else:
            lines.append((title, str(value)))
    return lines
