"""The intervals of the report's histograms (product.md 6.3), the same for SQL and for Python. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bins:
    """Intervals closed on the left: ``edges`` are the lower bounds of all but the first."""

    titles: tuple[str, ...]
    edges: tuple[float, ...]

    def index(self, value: float) -> int:
        """Return the number of the interval that ``value`` lies in, from 0."""
        return bisect_right(self.edges, value)


BOXES_PER_IMAGE = Bins(("0", "1", "2", "3", "4", "5–9", "≥10"), (1, 2, 3, 4, 5, 10))

BOX_RATIO = Bins(  # width ÷ height
    (
        "(0,0.25)",
        "[0.25,0.50)",
        "[0.50,0.67)",
        "[0.67,0.80)",
        "[0.80,1.25)",
        "[1.25,1.50)",
        "[1.50,2.00)",
        "[2.00,4.00)",
        "≥4",
    ),
    (0.25, 0.50, 0.67, 0.80, 1.25, 1.50, 2.00, 4.00),
)

BOX_AREA = Bins(  # per cent of the image
    ("(0,0.16)", "[0.16,1.44)", "[1.44,2.56)", "[2.56,10.24)", "[10.24,40.96)", "[40.96,100]"),
    (0.16, 1.44, 2.56, 10.24, 40.96),
)

COVERAGE = Bins(  # per cent of the image, of images that have the class; those that have not are "0"
    ("(0,1)", "[1,5)", *(f"[{lower},{lower + 5})" for lower in range(5, 95, 5)), "[95,100]"),
    (1, *range(5, 100, 5)),
)
ABSENT = "0"
SHORTEST_COVERAGE = COVERAGE.titles.index("[30,35)") + 1  # further intervals are shown where something lies in them


def percentage(count: float, total: float) -> float:
    """Return ``count`` in per cent of ``total`` with two decimals; of nothing, 0."""
    return round(100 * count / total, 2) if total else 0.0


def histogram(bins: Bins, counts: Mapping[int, int]) -> dict[str, Any]:
    """Return titles, counts and percentages of all intervals; ``counts`` is by number of the interval."""
    return _histogram(bins.titles, [counts.get(number, 0) for number in range(len(bins.titles))])


def coverage_histograms(counts: Sequence[Mapping[int, int]], *, images: int) -> list[dict[str, Any]]:
    """Return one histogram a class, all over the same intervals, of ``images`` images each.

    ``counts`` are of the images that have the class, by number of the interval of COVERAGE.
    """
    highest = max((number for each in counts for number, count in each.items() if count), default=0)
    shown = max(SHORTEST_COVERAGE, highest + 1)
    titles = (ABSENT, *COVERAGE.titles[:shown])
    rows = [[each.get(number, 0) for number in range(shown)] for each in counts]
    return [_histogram(titles, [images - sum(row), *row]) for row in rows]


def _histogram(titles: Sequence[str], counts: list[int]) -> dict[str, Any]:
    total = sum(counts)
    return {
        "bins": list(titles),
        "counts": counts,
        "percentages": [percentage(count, total) for count in counts],
    }
