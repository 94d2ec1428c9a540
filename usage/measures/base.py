"""What all comparisons share: what is said of an image, counts of a label, and the interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from annotations.formats.masks import Mask

CONFIDENT = 0.5
"""What is predicted with less confidence does not count as said, but in the curves."""


class Said(NamedTuple):
    """One annotation, of the ground truth or predicted; fields as in ``annotations.formats.base.Found``."""

    label: str
    value: int | None = None
    bbox: tuple[float, float, float, float] | None = None
    mask: Mask | None = None
    score: float | None = None
    frame: int = 0


class Measure(Protocol):
    """Takes one image after another and sums up."""

    def judge(self, truth: Sequence[Said], predicted: Sequence[Said]) -> bool:
        """Take an image in, and return whether the prediction is right."""

    def report(self) -> dict[str, Any]:
        """Return ``labels``, a list of counts and rates by label, and what else this kind tells: JSON values."""


@dataclass
class Counts:
    """Right and wrong of one label: images, boxes, whatever is counted."""

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0

    def add(self, *, truth: bool, predicted: bool) -> None:
        self.true_positives += truth and predicted
        self.false_positives += predicted and not truth
        self.false_negatives += truth and not predicted

    @property
    def precision(self) -> float | None:
        """The share of what was predicted that is right; None when nothing was."""
        return share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of what there is that was predicted; None when there is nothing."""
        return share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        """The Dice coefficient of both sets: the harmonic mean of precision and recall."""
        wrong = self.false_positives + self.false_negatives
        return share(2 * self.true_positives, 2 * self.true_positives + wrong)

    @property
    def jaccard(self) -> float | None:
        """The Jaccard index of both sets: intersection over union."""
        return share(self.true_positives, self.true_positives + self.false_positives + self.false_negatives)

    def told(self, label: str) -> dict[str, Any]:
        return {
            "label": label,
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "false_negatives": self.false_negatives,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what there is; None of nothing."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
