"""Do two sources say the same of one image? Pure.

Classes agree unless an image (or frame) would have two, or has a label for one source and has it not for the other.
Boxes and masks agree if each finds another of its label that it overlaps with an intersection over union of at least
one half, each used once, the best pairs first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from annotations.formats.masks import Mask, intersection
from annotations.models import AnnotationType

LEAST_OVERLAP = 0.5


class Said(NamedTuple):
    """What an annotation says: ``label`` by its name, or id, in the result; ``value`` of classes, ``box`` and RLE."""

    label: object
    frame: int = 0
    value: int | None = None
    box: tuple[float, float, float, float] | None = None
    counts: str | None = None


def disagree(
    annotation_type: str, one: Sequence[Said], other: Sequence[Said], *, size: tuple[int, int] = (0, 0)
) -> bool:
    """Tell whether two sources contradict each other about an image of ``size`` (height, width)."""
    if annotation_type == AnnotationType.SINGLE_LABEL:
        return _differ({said.frame: said.label for said in one}, {said.frame: said.label for said in other})
    if annotation_type == AnnotationType.MULTI_LABEL:
        return _differ(*({(said.frame, said.label): said.value for said in side} for side in (one, other)))
    overlap = box_overlap if annotation_type == AnnotationType.DETECTION else mask_overlap(size)
    return not _all_paired(one, other, overlap)


def box_overlap(one: Said, other: Said) -> float:
    """Return the intersection over union of two boxes [x, y, width, height]."""
    if one.box is None or other.box is None:
        return 0.0
    (x, y, width, height), (u, v, wide, high) = one.box, other.box
    across = min(x + width, u + wide) - max(x, u)
    down = min(y + height, v + high) - max(y, v)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (width * height + wide * high - shared)


def mask_overlap(size: tuple[int, int]) -> Callable[[Said, Said], float]:
    """Return the function for the intersection over union of two masks; two empty ones are the same."""

    def overlap(one: Said, other: Said) -> float:
        if one.counts == other.counts:
            return 1.0
        first, second = Mask(*size, one.counts or ""), Mask(*size, other.counts or "")
        shared = intersection([first, second]).area
        together = first.area + second.area - shared
        return shared / together if together else 1.0

    return overlap


def _differ(one: dict[object, object], other: dict[object, object]) -> bool:
    return any(other[key] != value for key, value in one.items() if key in other)


def _all_paired(one: Sequence[Said], other: Sequence[Said], overlap: Callable[[Said, Said], float]) -> bool:
    if len(one) != len(other):
        return False
    pairs = [
        (-overlap(a, b), i, j)
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if (a.label, a.frame) == (b.label, b.frame)
    ]
    used_one: set[int] = set()
    used_other: set[int] = set()
    for negative, i, j in sorted(pairs):
        if -negative < LEAST_OVERLAP:
            break
        if i not in used_one and j not in used_other:
            used_one.add(i)
            used_other.add(j)
    return len(used_one) == len(one)
