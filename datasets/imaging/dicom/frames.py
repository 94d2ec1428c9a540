"""Encapsulated pixel data (PS3.5 A.4): which fragments make up which frame, and whether all of them are there."""

import struct

from ..errors import Rejected
from . import syntaxes, tags
from .elements import Elements
from .pixels import PixelDescription
from .walker import ITEM, SEQUENCE_END, UNDEFINED

Fragment = tuple[int, int]
"""Offset and length of an item's value."""


class EncapsulatedFrames:
    """The frames of encapsulated pixel data, each as its fragments, in order."""

    __slots__ = ("_buffer", "_frames")

    def __init__(self, buffer: memoryview, frames: list[list[Fragment]]) -> None:
        self._buffer = buffer
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> memoryview:
        """Return the compressed bytes of one frame, counted from 0, without copying when it is one fragment."""
        fragments = self._frames[index]
        if len(fragments) == 1:
            start, length = fragments[0]
            return self._buffer[start : start + length]
        return memoryview(b"".join(self._buffer[start : start + length] for start, length in fragments))


def locate_frames(buffer: memoryview, elements: Elements, pixels: PixelDescription) -> EncapsulatedFrames:
    """Assign fragments to frames by the extended or basic offset table, else by their number or first bytes.

    Raises Rejected: ``pixel_data_truncated`` when an item or a frame is missing, ``pixel_data_missing`` when there are
    no items at all, ``header_invalid`` when the items contradict the header.
    """
    if pixels.length != UNDEFINED:
        raise Rejected("header_invalid", "The transfer syntax is compressed, but the pixel data are not encapsulated.")
    order = "<" if pixels.little_endian else ">"
    table, fragments = _read_items(buffer, pixels.offset, order)
    if not fragments:
        raise Rejected("pixel_data_missing", "The pixel data are empty.")
    count = pixels.frames
    if len(fragments) < count:
        raise Rejected("pixel_data_truncated", f"{count} frames are declared, {len(fragments)} are there.")
    if count == 1 and pixels.transfer_syntax != syntaxes.RLE:
        return EncapsulatedFrames(buffer, [fragments])
    if len(fragments) == count:
        return EncapsulatedFrames(buffer, [[fragment] for fragment in fragments])
    starts = _extended_starts(elements, fragments, order) or _basic_starts(table, fragments, order)
    if len(starts) != count:
        starts = _starts_by_content(buffer, fragments)
    if count == 1 or len(starts) != count or starts[0] != 0:
        raise Rejected(
            "header_invalid",
            f"{len(fragments)} fragments cannot be assigned to {count} frames without an offset table.",
        )
    bounds = [*starts, len(fragments)]
    return EncapsulatedFrames(buffer, [fragments[bounds[i] : bounds[i + 1]] for i in range(count)])


def _read_items(buffer: memoryview, offset: int, order: str) -> tuple[memoryview, list[Fragment]]:
    """Return the basic offset table and all fragments; the sequence must be complete."""
    head = struct.Struct(order + "HHI").unpack_from
    end = len(buffer)
    items: list[Fragment] = []
    while offset + 8 <= end:
        group, element, length = head(buffer, offset)
        tag = group << 16 | element
        offset += 8
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or length == UNDEFINED:
            raise Rejected("pixel_data_corrupt", "The pixel data hold something that is no fragment.")
        if offset + length > end:
            raise Rejected("pixel_data_truncated", "The file ends inside a fragment of the pixel data.")
        items.append((offset, length))
        offset += length
    else:
        raise Rejected("pixel_data_truncated", "The file ends before its last fragment of pixel data.")
    if not items:
        return buffer[:0], []
    start, length = items[0]
    return buffer[start : start + length], [item for item in items[1:] if item[1]]


def _starts(offsets: tuple[int, ...], fragments: list[Fragment]) -> list[int]:
    """Translate byte offsets from the first fragment's item tag into fragment numbers; [] when one points nowhere."""
    base = fragments[0][0] - 8
    number = {start - 8 - base: index for index, (start, _) in enumerate(fragments)}
    starts = [number.get(offset, -1) for offset in offsets]
    return starts if -1 not in starts and starts == sorted(set(starts)) else []


def _basic_starts(table: memoryview, fragments: list[Fragment], order: str) -> list[int]:
    count = len(table) // 4
    return _starts(struct.unpack_from(f"{order}{count}I", table), fragments) if count else []


def _extended_starts(elements: Elements, fragments: list[Fragment], order: str) -> list[int]:
    table = elements.bytes_of(tags.EXTENDED_OFFSET_TABLE)
    if not table:
        return []
    return _starts(struct.unpack_from(f"{order}{len(table) // 8}Q", table), fragments)


def _starts_by_content(buffer: memoryview, fragments: list[Fragment]) -> list[int]:
    """Number the fragments that begin a code stream: SOI of JPEG and JPEG-LS, SOC of JPEG 2000, or a JP2 box."""
    starts = []
    for index, (start, length) in enumerate(fragments):
        first = bytes(buffer[start : start + min(length, 8)])
        if first[:2] == b"\xff\xd8" or first[:4] == b"\xff\x4f\xff\x51" or first[4:8] == b"jP  ":
            starts.append(index)
    return starts
