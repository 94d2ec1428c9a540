"""ROC and precision-recall curves from scores rounded to thousandths: two counters for each are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BINS = 1000
MOST_POINTS = 120


@dataclass
class Scores:
    """Scores of positives and of negatives. ``missed`` are positives without any score: they lie below all others."""

    positives: list[int] = field(default_factory=lambda: [0] * (BINS + 1))
    negatives: list[int] = field(default_factory=lambda: [0] * (BINS + 1))
    missed: int = 0
    usable: bool = True

    def add(self, score: float | None, *, positive: bool) -> None:
        """Take a score in; one that is none, or not between 0 and 1, makes the curves impossible."""
        if score is None or not 0 <= score <= 1:
            self.usable = False
        else:
            (self.positives if positive else self.negatives)[round(score * BINS)] += 1

    def curves(self, label: str, *, roc: bool = True) -> dict[str, Any] | None:
        """Return the curves of a label, from the highest threshold to the lowest; None where there are none.

        ``roc``: [false positive rate, true positive rate] from (0, 0), ``auc`` the area under it by trapezoids.
        ``precision_recall``: [recall, precision], ``average_precision`` the sum of precision over steps of recall.
        Without ``roc`` (there are no true negatives among boxes) the first pair is left out.
        """
        all_positives, all_negatives = sum(self.positives) + self.missed, sum(self.negatives)
        if not (self.usable and all_positives and (all_negatives or not roc)):
            return None
        right = wrong = 0
        rates, precisions = [(0.0, 0.0)], []
        area = average = 0.0
        for score in range(BINS, -1, -1):
            if not (self.positives[score] or self.negatives[score]):
                continue
            right, wrong = right + self.positives[score], wrong + self.negatives[score]
            recall, precision = right / all_positives, right / (right + wrong)
            average += (recall - rates[-1][1]) * precision
            false = wrong / all_negatives if all_negatives else 0.0
            area += (false - rates[-1][0]) * (recall + rates[-1][1]) / 2
            rates.append((false, recall))
            precisions.append((recall, precision))
        told = {"label": label, "precision_recall": _thin(precisions), "average_precision": average}
        return told | {"roc": _thin(rates), "auc": area} if roc else told


def _thin(points: list[tuple[float, float]]) -> list[list[float]]:
    """Return at most MOST_POINTS of the points, evenly spread, the first and the last among them."""
    last = len(points) - 1
    number = min(MOST_POINTS, len(points))
    return [[round(value, 4) for value in points[round(n * last / max(1, number - 1))]] for n in range(number)]
