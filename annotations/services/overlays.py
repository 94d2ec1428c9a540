"""Masks drawn small, in the colours of their labels, to lie over a thumbnail."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture

from annotations.formats.masks import Mask

LONGEST_SIDE = 256  # as the thumbnail's
OVERSAMPLING = 2
OPACITY = 0.5


class Colored(NamedTuple):
    mask: Mask
    color: str
    """#rrggbb"""


def draw_masks(masks: Iterable[Colored], *, width: int, height: int) -> bytes:
    """Return a PNG with alpha of the thumbnail's size: each mask of the image in its colour, half transparent.

    Masks of another size than the image are left out. Memory is that of the small picture, whatever the image's size.
    """
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    small = max(1, round(width * scale)), max(1, round(height * scale))
    color = np.zeros((small[1], small[0], 3))
    alpha = np.zeros((small[1], small[0]))
    for mask, name in masks:
        if (mask.height, mask.width) != (height, width):
            continue
        above = coverage(mask, *small) * OPACITY
        together = above + alpha * (1 - above)
        share = np.divide(above, together, out=np.zeros_like(above), where=together > 0)[..., None]
        color = np.array(_rgb(name)) * share + color * (1 - share)
        alpha = together
    pixels = np.dstack((color, alpha * 255)).round().astype(np.uint8)
    buffer = io.BytesIO()
    Picture.fromarray(pixels, "RGBA").save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def coverage(mask: Mask, width: int, height: int) -> npt.NDArray[np.float64]:
    """Return how much of each pixel of the small picture the mask covers, 0 to 1, by samples looked up in its runs."""
    columns = _samples(width * OVERSAMPLING, mask.width)
    rows = _samples(height * OVERSAMPLING, mask.height)
    ends = np.cumsum(mask.runs())
    places = (columns[:, None] * mask.height + rows[None, :]).ravel()
    inside = (np.searchsorted(ends, places, side="right") % 2).reshape(width, OVERSAMPLING, height, OVERSAMPLING)
    return inside.mean(axis=(1, 3)).T


def _samples(count: int, size: int) -> npt.NDArray[np.int64]:
    """Return the pixels in the middle of ``count`` equal parts of ``size`` pixels."""
    return ((np.arange(count) * 2 + 1) * size) // (2 * count)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
