"""Labels placed on the stored picture of a photograph that is shown turned (EXIF orientation 5 to 8)."""

from __future__ import annotations

import numpy as np

from .base import Box, ImageRef, LabelError, Polygon
from .masks import Mask


class Placement:
    """Moves coordinates from the size that a label file states to the image as displayed.

    Raises:
        LabelError: the stated size is neither the displayed nor the stored one.
    """

    def __init__(self, image: ImageRef, width: float | None, height: float | None, column: str = "size"):
        self.image = image
        self.turned = False
        if not width or not height or (width, height) == (image.width, image.height):
            return
        if image.orientation >= 5 and (height, width) == (image.width, image.height):
            self.turned = True
            return
        raise LabelError(
            f"The labels are for an image of {_shown(width)} × {_shown(height)} pixels; “{image.path[-120:]}” has "
            f"{image.width} × {image.height}.",
            column=column,
            code="label_size_differs",
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that the file's coordinates are meant for."""
        width, height = self.image.width, self.image.height
        return (height, width) if self.turned else (width, height)

    def point(self, x: float, y: float) -> tuple[float, float]:
        if not self.turned:
            return x, y
        orientation = self.image.orientation
        right, down = (self.image.width - y, self.image.height - x)
        return (right if orientation in (6, 7) else y, down if orientation in (7, 8) else x)

    def box(self, x: float, y: float, width: float, height: float) -> Box:
        if not self.turned:
            return (x, y, width, height)
        ax, ay = self.point(x, y)
        bx, by = self.point(x + width, y + height)
        return (min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))

    def polygon(self, polygon: Polygon) -> Polygon:
        if not self.turned:
            return polygon
        return [value for at in range(0, len(polygon), 2) for value in self.point(polygon[at], polygon[at + 1])]

    def mask(self, mask: Mask) -> Mask:
        if not self.turned:
            return mask
        pixels = mask.decode().T
        if self.image.orientation in (6, 7):
            pixels = pixels[:, ::-1]
        if self.image.orientation in (7, 8):
            pixels = pixels[::-1]
        return Mask.from_array(np.asarray(pixels))


def _shown(value: float) -> str:
    text = str(int(value)) if value == value // 1 and abs(value) < 1e15 else str(value)
    return text if len(text) <= 20 else text[:19] + "…"
