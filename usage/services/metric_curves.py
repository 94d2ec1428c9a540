"""The metrics of a training over its steps, as far as a screen can show them."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Avg, Count, F, IntegerField, Max, Min, Q
from django.db.models.expressions import ExpressionWrapper

from usage.models import TrainingTask

POINTS = 300
MOST_METRICS = 24


@dataclass(frozen=True)
class Curve:
    """One metric. ``points`` are (step, value); of more than POINTS steps, each is the mean of neighbouring steps."""

    name: str
    first: int
    last: int
    lowest: float
    highest: float
    steps: int
    latest: float = 0
    points: list[tuple[float, float]] = field(default_factory=list)


def curves_of(*, training_task: TrainingTask) -> list[Curve]:
    """Return the first MOST_METRICS metrics by name: three queries, and as many rows as can be seen."""
    rows = training_task.metrics.order_by().values("name")
    facts = rows.annotate(
        first=Min("step"), last=Max("step"), lowest=Min("value"), highest=Max("value"), steps=Count("pk")
    ).order_by("name")[:MOST_METRICS]
    spans = list(facts)
    if not spans:
        return []
    names = [span["name"] for span in spans]
    begin, end = min(span["first"] for span in spans), max(span["last"] for span in spans)
    width = (end - begin) // POINTS + 1
    place = ExpressionWrapper((F("step") - begin) / width, output_field=IntegerField())
    means = rows.filter(name__in=names).annotate(place=place).values("name", "place")
    points: dict[str, list[tuple[float, float]]] = {}
    for name, _place, step, value in (
        means.annotate(middle=Avg("step"), mean=Avg("value"))
        .order_by("name", "place")
        .values_list("name", "place", "middle", "mean")
    ):
        points.setdefault(name, []).append((float(step), value))
    ends = Q(*(Q(name=span["name"], step=span["last"]) for span in spans), _connector=Q.OR)
    latest = dict(training_task.metrics.filter(ends).values_list("name", "value"))
    return [Curve(**span, latest=latest[span["name"]], points=points[span["name"]]) for span in spans]
