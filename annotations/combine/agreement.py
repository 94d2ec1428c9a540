"""Do two sources say the same of one image? Pure.

Classes agree unless an image (or frame) would have two, or has a label for one source and has it not for the other.
Boxes and masks agree if each finds another of its label that it overlaps with an intersection over union of at least
one half, each used once, the best pairs first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

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
    """Pair by label and frame: what is exactly the same first, then by overlap, the best first."""
    if len(one) != len(other):
        return False
    left, right = _without_equals(one, other)
    if Counter(map(_kind, left)) != Counter(map(_kind, right)):
        return False
    pairs = []
    for i, j in _touching(left, right):
        if _kind(left[i]) == _kind(right[j]) and (shared := overlap(left[i], right[j])) >= LEAST_OVERLAP:
            pairs.append((-shared, i, j))
    used_left: set[int] = set()
    used_right: set[int] = set()
    for _negative, i, j in sorted(pairs):
        if i not in used_left and j not in used_right:
            used_left.add(i)
            used_right.add(j)
    return len(used_left) == len(left)


def _kind(said: Said) -> tuple[object, int]:
    return said.label, said.frame


def _without_equals(one: Sequence[Said], other: Sequence[Said]) -> tuple[list[Said], list[Said]]:
    """Return what of each is not in the other, each as often as it is there more often."""
    spare = Counter(other)
    left = []
    for said in one:
        if spare[said] > 0:
            spare[said] -= 1
        else:
            left.append(said)
    return left, list(spare.elements())


def _touching(one: Sequence[Said], other: Sequence[Said]) -> Iterator[tuple[int, int]]:
    """Yield the places of pairs whose boxes may overlap by as much as is asked for; what has no box may with all.

    A row at a time: memory grows with the number of boxes, not with that of pairs.
    """
    if not other:
        return
    starts = np.array([said.box[:2] if said.box else (-math.inf,) * 2 for said in other])
    sizes = np.array([said.box[2:] if said.box else (math.inf,) * 2 for said in other])
    ends = np.where(np.isinf(sizes), math.inf, starts + sizes)
    for i, said in enumerate(one):
        if said.box is None:
            yield from ((i, j) for j in range(len(other)))
            continue
        x, y, width, height = said.box
        meets = (starts < (x + width, y + height)).all(axis=1) & (ends > (x, y)).all(axis=1)
        yield from ((i, int(j)) for j in np.flatnonzero(meets))
