"""Metric curves as lines of an SVG: training and validation of one metric share a chart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from usage.services.metric_curves import Curve

WIDTH, HEIGHT = 1000, 400
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
PART = re.compile(r"^(train|training|val|valid|validation|test)[_/. -]+(?=.)", re.IGNORECASE)
MOST_LINES = 4


@dataclass(frozen=True)
class Line:
    """``points`` are those of an SVG polyline in a box of WIDTH × HEIGHT, y downwards."""

    curve: Curve
    points: str


@dataclass(frozen=True)
class MetricChart:
    """``ticks`` are the values of the axis from top to bottom; steps run from ``first`` to ``last``."""

    title: str
    lines: list[Line]
    ticks: list[str]
    first: int
    last: int


def metric_charts(curves: Sequence[Curve]) -> list[MetricChart]:
    """Return a chart for each metric, of training and validation together, in order of their names."""
    grouped: dict[str, list[Curve]] = {}
    for curve in curves:
        grouped.setdefault(PART.sub("", curve.name), []).append(curve)
    return [
        _chart(title, group[start : start + MOST_LINES])
        for title, group in grouped.items()
        for start in range(0, len(group), MOST_LINES)
    ]


def _chart(title: str, curves: Sequence[Curve]) -> MetricChart:
    first, last = min(curve.first for curve in curves), max(curve.last for curve in curves)
    low, high = span(min(curve.lowest for curve in curves), max(curve.highest for curve in curves))
    lines = [
        Line(
            curve,
            polyline(curve.points, x=(first, last), y=(low, high), width=WIDTH, height=HEIGHT),
        )
        for curve in curves
    ]
    return MetricChart(title, lines, [f"{value:.4g}" for value in (high, (low + high) / 2, low)], first, last)


def span(lowest: float, highest: float) -> tuple[float, float]:
    """Return the ends of an axis, which differ: 0 to 1 for what looks like shares, else a little beyond the values."""
    if lowest >= 0 and 0.5 <= highest <= 1:
        return 0.0, 1.0
    size = highest - lowest
    if not math.isfinite(size):
        return lowest, highest
    room = size * 0.05 or max(abs(highest), 1.0) * 0.5
    return (0.0 if 0 <= lowest <= room else lowest - room), highest + room


def polyline(
    points: Sequence[tuple[float, float]],
    *,
    x: tuple[float, float],
    y: tuple[float, float],
    width: int,
    height: int,
) -> str:
    """Return "x,y x,y …" of ``points`` in a box, y downwards; a single point is there twice: it is drawn as a dot."""

    def place(value: float, ends: tuple[float, float], size: int) -> float:
        low, high = ends
        span = high / 2 - low / 2  # 0 also where the two are so small that they have no half
        share = (value / 2 - low / 2) / span if span > 0 else 0.5
        return min(1.0, max(0.0, share)) * size

    placed = [f"{place(px, x, width):.1f},{height - place(py, y, height):.1f}" for px, py in points]
    return " ".join(placed * 2 if len(placed) == 1 else placed)


def sparkline(values: Sequence[float]) -> str:
    """Return the points of a small line of ``values`` at even distances; "" for fewer than two."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    ends = (low, high) if high > low else (low - 1, high + 1)
    points = list(enumerate(values))
    return polyline(points, x=(0, len(values) - 1), y=ends, width=SPARK_WIDTH, height=SPARK_HEIGHT)
