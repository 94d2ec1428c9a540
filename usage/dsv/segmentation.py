"""Segmentation: a pixel belongs to the object when more than half of the annotators say so.

The product description gives no rule; this one, and the rate, are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class MaskVerdict:
    """The majority's mask, and the mean Dice coefficient of the annotators' masks with it, 0 to 1."""

    mask: Mask
    rate: float

    @property
    def passed(self) -> bool:
        return self.rate > THRESHOLD


def agree_on_mask(masks: Sequence[Mask]) -> MaskVerdict:
    """Judge the masks of one label on an image, one an annotator, of one shape (rows, columns); empty ones count.

    Raises ValueError without masks, or for masks of different shapes.
    """
    if not masks:
        raise ValueError("Nobody has annotated this image.")
    if len({mask.shape for mask in masks}) != 1:
        raise ValueError("The masks are of different sizes.")
    votes = np.zeros(masks[0].shape, dtype=np.uint16)
    for mask in masks:
        votes += mask.astype(bool)
    agreed = votes * 2 > len(masks)
    return MaskVerdict(agreed, sum(dice(mask, agreed) for mask in masks) / len(masks))


def dice(one: Mask, other: Mask) -> float:
    """Return twice the common pixels over the pixels of both (Dice 1945); 1 for two empty masks."""
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0
