"""Image segmentation: the pixels of a label, of the ground truth and predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from annotations.formats.masks import Mask, intersection, union

from .base import CONFIDENT, Counts, Said, mean

RIGHT = 0.5


class Masks:
    """Counts pixels by label; masks of one label and frame are united before.

    ``dice`` and ``iou`` of a label are means over the images that have it or are said to. An image is right when the
    IoU of each of these labels is 0.5 at least.
    """

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._dice: dict[str, list[float]] = {}
        self._iou: dict[str, list[float]] = {}

    def judge(self, truth: Sequence[Said], predicted: Sequence[Said]) -> bool:
        there = united(truth)
        said = united([each for each in predicted if each.score is None or each.score >= CONFIDENT])
        right = True
        for key in there.keys() | said.keys():
            here = overlap(there.get(key), said.get(key))
            label = key[0]
            total = self._counts.setdefault(label, Counts())
            total.true_positives += here.true_positives
            total.false_positives += here.false_positives
            total.false_negatives += here.false_negatives
            dice, iou = here.f1, here.jaccard
            if dice is None or iou is None:
                continue  # both masks are empty
            _add(self._dice.setdefault(label, [0.0, 0.0]), dice)
            _add(self._iou.setdefault(label, [0.0, 0.0]), iou)
            right = right and iou >= RIGHT
        return right

    def report(self) -> dict[str, Any]:
        labels = []
        for label in sorted(self._counts):
            told = self._counts[label].told(label)
            told["dice"], told["iou"] = (_mean(sums.get(label)) for sums in (self._dice, self._iou))
            labels.append(told)
        return {
            "labels": labels,
            "macro_f1": mean([each["f1"] for each in labels]),
            "mean_dice": mean([each["dice"] for each in labels]),
            "mean_iou": mean([each["iou"] for each in labels]),
            "curves": [],
        }


def united(said: Sequence[Said]) -> dict[tuple[str, int], Mask]:
    """Return one mask a label and frame; masks of another size than the first are left out."""
    groups: dict[tuple[str, int], list[Mask]] = {}
    for each in said:
        if each.mask is not None:
            group = groups.setdefault((each.label, each.frame), [])
            if not group or (group[0].height, group[0].width) == (each.mask.height, each.mask.width):
                group.append(each.mask)
    return {key: union(group) for key, group in groups.items()}


def overlap(truth: Mask | None, predicted: Mask | None) -> Counts:
    """Count pixels. Masks of different sizes have none in common."""
    there, said = (mask.area if mask is not None else 0 for mask in (truth, predicted))
    both = 0
    if truth is not None and predicted is not None and truth[:2] == predicted[:2]:
        both = intersection([truth, predicted]).area
    return Counts(both, said - both, there - both)


def _add(sums: list[float], value: float) -> None:
    sums[0] += value
    sums[1] += 1


def _mean(sums: list[float] | None) -> float | None:
    return sums[0] / sums[1] if sums else None
