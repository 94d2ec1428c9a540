"""What a label, a box, a number and a stated size may be; the same rules for every format."""

from __future__ import annotations

import math
import re
from typing import Any

from .base import MAX_LABEL, Box, ImageRef, LabelError
from .masks import Mask

CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
TOLERANCE = 0.5  # pixels that a box may reach over the border: what rounding makes


def label_name(value: Any, column: str = "class") -> str:
    """Return the name of a class without the spaces around it; ``LabelError`` if it can be none."""
    name = value.strip() if isinstance(value, str) else value
    if not name or not isinstance(name, str):
        raise LabelError("The class is empty.", column=column)
    if len(name) > MAX_LABEL:
        raise LabelError(
            f"The class name has {len(name)} characters; {MAX_LABEL} are possible (“{name[:40]}…”).", column=column
        )
    if CONTROL_CHARACTERS.search(name):
        raise LabelError("The class name contains control characters.", column=column)
    return name


def number(value: Any, column: str) -> float:
    """Return a finite number, written as one or being one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise LabelError(f"“{_shown(value)}” is not a number.", column=column)
    try:
        result = float(value)
    except (ValueError, OverflowError):
        if isinstance(value, str) and not value.strip():
            raise LabelError(f"The {column} is empty.", column=column) from None
        raise LabelError(f"“{_shown(value)}” is not a number.", column=column) from None
    if not math.isfinite(result):
        raise LabelError(f"“{_shown(value)}” is not a number a picture has.", column=column)
    return result


def box(x: float, y: float, width: float, height: float, image: ImageRef) -> Box:
    """Return the box if it has an area and lies inside the image, but for what rounding may add."""
    if width <= 0 or height <= 0:
        column = "width" if width <= 0 else "height"
        raise LabelError(f"The box has no area: {width:g} × {height:g}.", column=column, code="label_box_empty")
    if x < -TOLERANCE or y < -TOLERANCE or x + width > image.width + TOLERANCE or y + height > image.height + TOLERANCE:
        column = "x" if x < -TOLERANCE or x + width > image.width + TOLERANCE else "y"
        raise LabelError(
            f"The box from ({x:g}, {y:g}) to ({x + width:g}, {y + height:g}) reaches out of the image of "
            f"{image.width} × {image.height} pixels.",
            column=column,
            code="label_box_outside",
        )
    return (x, y, width, height)


def score(value: Any, column: str = "score") -> float:
    """Return a confidence between 0 and 1."""
    result = number(value, column)
    if not 0 <= result <= 1:
        raise LabelError(f"The score {result:g} is not between 0 and 1.", column=column)
    return result


def filled(mask: Mask, column: str = "mask") -> Mask:
    """Return the mask if any pixel belongs to it."""
    if mask.area == 0:
        raise LabelError("No pixel of the image belongs to the mask.", column=column, code="label_mask_empty")
    return mask


def frame(value: Any, image: ImageRef, column: str = "frame") -> int:
    """Return a frame's number, from 1 (0: the whole image)."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= image.frames:
        raise LabelError(f"The image has no frame {_shown(value)}; it has {image.frames}.", column=column)
    return value


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
