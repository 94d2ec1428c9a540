"""Colour frames as 8-bit RGB: palettes (PS3.3 C.7.9), YBR (C.7.6.3.1.2) and deep RGB."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Rejected
from . import tags
from .elements import Elements
from .grey import unpack_entries

Array = NDArray[Any]
Rgb = NDArray[np.uint8]

_PALETTES = (
    (tags.RED_PALETTE_DESCRIPTOR, tags.RED_PALETTE_DATA, tags.SEGMENTED_RED_PALETTE_DATA),
    (tags.GREEN_PALETTE_DESCRIPTOR, tags.GREEN_PALETTE_DATA, tags.SEGMENTED_GREEN_PALETTE_DATA),
    (tags.BLUE_PALETTE_DESCRIPTOR, tags.BLUE_PALETTE_DATA, tags.SEGMENTED_BLUE_PALETTE_DATA),
)


def to_rgb(array: Array, photometric: str, bits_stored: int) -> Rgb:
    """Return (rows, columns, 3) 8-bit RGB of a three-sample frame; deeper samples keep their highest 8 bits."""
    if bits_stored > 8:
        array = array >> array.dtype.type(bits_stored - 8)
    elif bits_stored < 8:
        array = array.astype(np.uint16) * 255 // ((1 << bits_stored) - 1)
    eight = array.astype(np.uint8, copy=False)
    return ybr_to_rgb(eight) if photometric.startswith("YBR") else eight


def ybr_to_rgb(ybr: Rgb) -> Rgb:
    """Return RGB of YBR_FULL samples."""
    y, blue, red = (ybr[..., channel].astype(np.float32) for channel in range(3))
    blue -= 128.0
    red -= 128.0
    rgb = np.stack((y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue), axis=-1)
    clipped: Rgb = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return clipped


def palette_of(elements: Elements) -> tuple[int, Rgb]:
    """Return the first stored value mapped and the (entries, 3) 8-bit palette.

    Raises Rejected (``header_invalid``) when a channel is missing or shorter than it declares.
    """
    channels = []
    first = 0
    for descriptor_tag, data_tag, segmented_tag in _PALETTES:
        descriptor = elements.numbers(descriptor_tag)
        raw, segmented = elements.bytes_of(data_tag), elements.bytes_of(segmented_tag)
        if len(descriptor) != 3 or not (raw or segmented):
            raise Rejected("header_invalid", "The colour palette is missing or incomplete.")
        count = int(descriptor[0]) & 0xFFFF or 65536
        first = int(descriptor[1])
        entries: NDArray[np.uint16] | None
        if segmented and not raw:
            entries = _expand_segments(bytes(segmented), int(descriptor[2]), elements.little_endian)
            entries = entries[:count] if entries is not None and len(entries) >= count else None
        else:
            entries = unpack_entries(bytes(raw or b""), count, little_endian=elements.little_endian)
        if entries is None:
            raise Rejected("header_invalid", "The colour palette is shorter than it declares.")
        channels.append(_to_eight_bits(entries, int(descriptor[2])))
    if len({len(channel) for channel in channels}) != 1:
        raise Rejected("header_invalid", "The channels of the colour palette differ in length.")
    return first, np.stack(channels, axis=-1)


def apply_palette(array: Array, palette: tuple[int, Rgb]) -> Rgb:
    """Return RGB of palette indices; indices outside take the nearest entry."""
    first, entries = palette
    index = np.clip(array.astype(np.int64) - first, 0, len(entries) - 1)
    return entries[index]


def _to_eight_bits(entries: "NDArray[np.uint16]", bits: int) -> Rgb:
    """Keep the high byte of 16-bit entries; 8-bit values inside 16-bit words, which do occur, are taken as they are."""
    if bits > 8 and int(entries.max(initial=0)) > 255:
        return (entries >> 8).astype(np.uint8)
    return (entries & 0xFF).astype(np.uint8)


def _expand_segments(data: bytes, bits: int, little_endian: bool) -> "NDArray[np.uint16]":
    """Expand a segmented palette: discrete, linear and indirect segments (PS3.3 C.7.9.2)."""
    if bits == 8:
        words = list(data)
    else:
        words = np.frombuffer(data[: len(data) // 2 * 2], "<u2" if little_endian else ">u2").tolist()
    out: list[int] = []
    at = 0
    while at + 2 <= len(words):
        at = _expand_segment(words, at, out, bits, indirect=True)
        if len(out) > 65536:
            break
    return np.array(out, np.uint16)


def _expand_segment(words: list[int], at: int, out: list[int], bits: int, *, indirect: bool) -> int:
    """Append one segment's entries to out and return the position behind it."""
    opcode, length = words[at], words[at + 1]
    if opcode == 0:
        out.extend(words[at + 2 : at + 2 + length])
        return at + 2 + length
    if opcode == 1 and out and at + 2 < len(words):
        start, stop = out[-1], words[at + 2]
        out.extend(round(start + (stop - start) * step / length) for step in range(1, length + 1))
        return at + 3
    if opcode == 2 and indirect:
        pointer = words[at + 2 : at + (6 if bits == 8 else 4)]
        shift = 8 if bits == 8 else 16
        position = sum(word << (shift * index) for index, word in enumerate(pointer))
        for _ in range(length):
            if position + 2 > len(words) or len(out) > 65536:
                break
            position = _expand_segment(words, position, out, bits, indirect=False)
        return at + 2 + len(pointer)
    raise Rejected("header_invalid", "The segmented colour palette is not valid.")
