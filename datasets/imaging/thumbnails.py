"""Small pictures: shrink by area, encode as JPEG."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import accelerators

SIDE = 256
QUALITY = 85

Pixels8 = NDArray[np.uint8]


def fit(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """Return the size that fits a square of that side with the same proportions, never enlarged, at least one pixel."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(picture: Pixels8, target: tuple[int, int]) -> Pixels8:
    """Return the 8-bit picture averaged down to the target (width, height), contiguous.

    Exact 2 x 2 halvings first, one fractional step last: five times cheaper than one fractional step over everything,
    and less than 0.05 grey levels away from it.
    """
    height, width = picture.shape[:2]
    picture = np.ascontiguousarray(picture)
    if target == (width, height):
        return picture
    if accelerators.cv2 is None:
        return _shrink_with_pillow(picture, target)
    cv2 = accelerators.cv2
    while width >= 3 * target[0] and height >= 3 * target[1]:
        height, width = height // 2, width // 2
        picture = cv2.resize(picture[: height * 2, : width * 2], (width, height), interpolation=cv2.INTER_AREA)
    shrunk: Pixels8 = cv2.resize(picture, target, interpolation=cv2.INTER_AREA)
    return shrunk


def roughness(picture: Pixels8) -> float:
    """Return how much neighbours in a row differ on average, in grey levels (of the green channel for colour)."""
    levels = picture if picture.ndim == 2 else picture[..., 1]
    difference: Pixels8 = accelerators.cv2.absdiff(levels[:, 1:], levels[:, :-1])
    return float(difference.mean())


def centre(picture: Pixels8, halvings: int) -> Pixels8:
    """Return a picture of low wavelet coefficients moved so that its samples lie at the centres of their pixels."""
    shift = (2**halvings - 1) / 2 ** (halvings + 1)
    height, width = picture.shape[:2]
    moved: Pixels8 = accelerators.cv2.warpAffine(
        np.ascontiguousarray(picture),
        np.array([[1, 0, -shift], [0, 1, -shift]], np.float32),
        (width, height),
        flags=accelerators.cv2.INTER_LINEAR,
        borderMode=accelerators.cv2.BORDER_REPLICATE,
    )
    return moved


def encode_jpeg(picture: Pixels8) -> bytes:
    """Return a JPEG of quality 85 of an 8-bit grey (height, width) or RGB (height, width, 3) picture."""
    grey = picture.ndim == 2
    if accelerators.simplejpeg is not None:
        encoded: bytes = accelerators.simplejpeg.encode_jpeg(
            np.ascontiguousarray(picture[..., None] if grey else picture),
            quality=QUALITY,
            colorspace="GRAY" if grey else "RGB",
            colorsubsampling="Gray" if grey else "420",
        )
        return encoded
    out = BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def encode_png(picture: Pixels8) -> bytes:
    """Return a PNG of an 8-bit grey or RGB picture; the fastest compression, since it is made to be looked at once."""
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _shrink_with_pillow(picture: Pixels8, target: tuple[int, int]) -> Pixels8:
    image = Image.fromarray(picture)
    return np.asarray(image.resize(target, Image.Resampling.BOX, reducing_gap=3.0))
