"""Detection: boxes of different annotators that mean the same object are grouped, and each group's mean is the result.

Given are the steps: intersection over union between boxes of different annotators, groups, the mean of each. The
threshold of 0.5, the way of grouping, and the rate are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

THRESHOLD = 0.5


@dataclass(frozen=True, order=True)
class Box:
    """A labelled box in pixels: left, top, width and height, both above 0."""

    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Group:
    """The mean box of a group, and how many annotators drew one of its boxes."""

    box: Box
    support: int


@dataclass(frozen=True)
class BoxesVerdict:
    """``groups`` are those that more than half of the annotators support; ``rate`` is the mean support of all, 0 to 1.

    Where nobody has drawn anything all agree: the rate is 1.
    """

    groups: tuple[Group, ...]
    rate: Fraction

    @property
    def passed(self) -> bool:
        return self.rate > Fraction(1, 2)


@dataclass
class _Cluster:
    boxes: list[Box]
    annotators: set[int]


def iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes, whatever their labels; 1 for the same box."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one.width * one.height + other.width * other.height - both)


def agree_on_boxes(drawn: Sequence[Sequence[Box]]) -> BoxesVerdict:
    """Judge the boxes of an image, one sequence an annotator.

    Boxes of one label are grouped, the most similar first, as long as all in a group overlap each other by
    IoU ≥ 0.5 and no annotator has two boxes in it. The order of the annotators does not matter. Raises ValueError when
    nobody has annotated the image.
    """
    if not drawn:
        raise ValueError("Nobody has annotated this image.")
    people = len(drawn)
    groups = [
        Group(_mean(cluster.boxes), len(cluster.annotators))
        for label in sorted({box.label for boxes in drawn for box in boxes})
        for cluster in _clusters([[box for box in boxes if box.label == label] for boxes in drawn])
    ]
    rate = Fraction(sum(group.support for group in groups), people * len(groups)) if groups else Fraction(1)
    kept = sorted((group for group in groups if 2 * group.support > people), key=lambda group: group.box)
    return BoxesVerdict(tuple(kept), rate)


def _clusters(drawn: Sequence[Sequence[Box]]) -> list[_Cluster]:
    clusters = [_Cluster([box], {annotator}) for annotator, boxes in enumerate(drawn) for box in boxes]
    pairs: list[tuple[float, Box, Box, int, int]] = []
    for (first, one), (second, other) in combinations(enumerate(clusters), 2):
        if one.annotators != other.annotators:
            nearer, farther = sorted((one.boxes[0], other.boxes[0]))
            pairs.append((-iou(nearer, farther), nearer, farther, first, second))
    pairs.sort()
    cluster_of = list(clusters)
    for overlap, _nearer, _farther, first, second in pairs:  # the most similar first
        if -overlap < THRESHOLD:
            break
        one, other = cluster_of[first], cluster_of[second]
        if one is other or one.annotators & other.annotators:
            continue
        if all(iou(a, b) >= THRESHOLD for a, b in product(one.boxes, other.boxes)):
            one.boxes += other.boxes
            one.annotators |= other.annotators
            cluster_of = [one if cluster is other else cluster for cluster in cluster_of]
    return list({id(cluster): cluster for cluster in cluster_of}.values())


def _mean(boxes: Sequence[Box]) -> Box:
    """Return the box of the mean edges; summed in sorted order, so that the annotators' order leaves no trace."""
    number = len(boxes)
    sides = zip(*((box.x, box.y, box.width, box.height) for box in sorted(boxes)), strict=True)
    return Box(boxes[0].label, *(sum(side) / number for side in sides))
