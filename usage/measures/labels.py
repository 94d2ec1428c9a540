"""Multi-label classification: an image has each label, or has it not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .base import CONFIDENT, Counts, Said, mean
from .curves import Scores

MOST_CURVES = 12


class MultiLabel:
    """Counts labels by image. A label that is not mentioned, of the truth or predicted, is not there."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._scores: dict[str, Scores] = {}

    def judge(self, truth: Sequence[Said], predicted: Sequence[Said]) -> bool:
        there = {each.label for each in truth if each.value != 0}
        said = {each.label for each in predicted if has(each)}
        for label in {each.label for each in (*truth, *predicted)}:
            self._counts.setdefault(label, Counts()).add(truth=label in there, predicted=label in said)
        for each in predicted:
            self._scores.setdefault(each.label, Scores()).add(each.score, positive=each.label in there)
        for label in there - {each.label for each in predicted}:
            self._scores.setdefault(label, Scores()).missed += 1
        return there == said

    def report(self) -> dict[str, Any]:
        labels = [self._counts[label].told(label) for label in sorted(self._counts)]
        often = sorted(labels, key=lambda each: -each["true_positives"] - each["false_negatives"])[:MOST_CURVES]
        curves = [self._scores[each["label"]].curves(each["label"]) for each in often if each["label"] in self._scores]
        return {
            "labels": labels,
            "macro_f1": mean([each["f1"] for each in labels]),
            "curves": [each for each in curves if each],
        }


def has(said: Said) -> bool:
    """Tell whether a prediction says that the image has the label: by its value, otherwise by its confidence."""
    if said.value is not None:
        return said.value != 0
    return said.score is None or said.score >= CONFIDENT
