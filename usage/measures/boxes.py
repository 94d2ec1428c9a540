"""Object detection: predicted boxes are matched with those of the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from usage.dsv.detection import THRESHOLD, Box, iou

from .base import CONFIDENT, Counts, Said, mean
from .curves import Scores

MOST_CURVES = 12


class Boxes:
    """Counts boxes by label.

    The most confident predicted box first, each takes the box of its label that it overlaps best, by IoU 0.5 at least,
    of those not taken yet (the rule of PASCAL VOC). An image is right when no box is missed and none is made up.
    """

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._scores: dict[str, Scores] = {}

    def judge(self, truth: Sequence[Said], predicted: Sequence[Said]) -> bool:
        right = True
        for label in {each.label for each in (*truth, *predicted)}:
            counts = self._counts.setdefault(label, Counts())
            scores = self._scores.setdefault(label, Scores())
            there = [each for each in truth if each.label == label]
            said = [each for each in predicted if each.label == label]
            matched = match(there, said)
            confident = 0
            for each, hit in matched:
                score = 1.0 if each.score is None else each.score
                scores.add(score, positive=hit)
                if score >= CONFIDENT:
                    counts.add(truth=hit, predicted=True)
                    confident += hit
                    right = right and hit
            counts.false_negatives += len(there) - confident
            scores.missed += len(there) - sum(hit for _each, hit in matched)
            right = right and confident == len(there)
        return right

    def report(self) -> dict[str, Any]:
        labels = [self._counts[label].told(label) for label in sorted(self._counts)]
        found = {each["label"]: self._scores[each["label"]].curves(each["label"], roc=False) for each in labels}
        for each in labels:
            curve = found[each["label"]]
            each["average_precision"] = curve["average_precision"] if curve else None
        often = sorted(labels, key=lambda each: -each["true_positives"] - each["false_negatives"])[:MOST_CURVES]
        return {
            "labels": labels,
            "macro_f1": mean([each["f1"] for each in labels]),
            "mean_average_precision": mean([each["average_precision"] for each in labels]),
            "curves": [curve for each in often if (curve := found[each["label"]])],
        }


def match(truth: Sequence[Said], predicted: Sequence[Said]) -> list[tuple[Said, bool]]:
    """Return each predicted box, the most confident first, with whether it has found one of the truth's."""
    left = [each for each in truth if each.bbox is not None]
    by_confidence = sorted(predicted, key=lambda each: -(1.0 if each.score is None else each.score))
    matched = []
    for each in by_confidence:
        if each.bbox is None:
            continue
        overlaps = [(_iou(each, other), place) for place, other in enumerate(left) if other.frame == each.frame]
        best, place = max(overlaps, default=(0.0, -1))
        if best >= THRESHOLD:
            left.pop(place)
        matched.append((each, best >= THRESHOLD))
    return matched


def _iou(one: Said, other: Said) -> float:
    assert one.bbox is not None
    assert other.bbox is not None
    return iou(Box("", *one.bbox), Box("", *other.bbox))
