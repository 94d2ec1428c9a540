"""Masks in label files with commas: base64 of a zlib stream (RFC 1950) of one bit for every pixel.

Row by row, most significant bit first, 1 for the object, no padding but in the last byte. Rows padded to whole bytes
are read too (their length tells), and least significant bit first where the file says so.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from .base import LabelError
from .masks import MAX_PIXELS, Mask

COLUMN = "mask"


def encode_bits(mask: Mask) -> str:
    return base64.b64encode(zlib.compress(np.packbits(mask.decode()).tobytes(), 9)).decode("ascii")


def decode_bits(text: str, width: int, height: int, *, little: bool = False) -> Mask:
    """Return the mask; ``LabelError`` if the text is none of this size. Never inflates more than the mask needs."""
    if not 0 < width * height <= MAX_PIXELS:
        raise LabelError(f"A mask of {width} × {height} pixels is not possible.", column=COLUMN)
    packed, padded = (width * height + 7) // 8, height * ((width + 7) // 8)
    content = _inflated(text, max(packed, padded))
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8), bitorder="little" if little else "big")
    if len(content) == packed:
        rows, rest = bits[: width * height].reshape(height, width), bits[width * height :]
    elif len(content) == padded:
        table = bits.reshape(height, -1)
        rows, rest = table[:, :width], table[:, width:]
    else:
        raise LabelError(f"The mask holds {len(content)} bytes; {width} × {height} pixels are {packed}.", column=COLUMN)
    if rest.any():
        raise LabelError("Bits behind the last pixel are set: the bits are in another order.", column=COLUMN)
    return Mask.from_array(rows)


def _inflated(text: str, limit: int) -> bytes:
    try:
        compressed = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise LabelError("The mask is not base64.", column=COLUMN) from None
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(compressed, limit + 1)
        if len(content) <= limit and not inflater.eof:
            content += inflater.decompress(inflater.unconsumed_tail, limit + 1 - len(content))
    except zlib.error:
        raise LabelError("The mask is not a zlib stream.", column=COLUMN) from None
    if len(content) > limit:
        raise LabelError(f"The mask holds more than the {limit} bytes its size needs.", column=COLUMN)
    if not inflater.eof:
        raise LabelError("The mask's zlib stream ends early.", column=COLUMN)
    if inflater.unused_data:
        raise LabelError("Something follows the mask's zlib stream.", column=COLUMN)
    return content
