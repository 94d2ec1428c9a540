"""A header walker for the hot path: one pass over a data set in memory, without building objects per element.

It knows the well-formed cases of PS3.5 section 7 (explicit and implicit VR, either byte order, sequences of defined
and undefined length) and raises :class:`Unusual` for everything else; the caller then lets pydicom read the file.
Nesting is walked with a list, not by recursion, so hostile depth costs nothing.
"""

import struct
from collections.abc import Iterator

from ..errors import Rejected
from . import tags
from .elements import Elements
from .vrs import LONG, SHORT

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD


class Unusual(Exception):
    """The data set is outside what the walker knows; ``truncated`` when a value runs past the end of the data."""

    def __init__(self, reason: str, *, truncated: bool = False) -> None:
        super().__init__(reason)
        self.truncated = truncated


class Walked(Elements):
    """A data set located by the walker: tag → (VR, offset, length), lengths of sequences included."""

    __slots__ = ("_end", "_explicit", "_spans", "buffer")

    def __init__(
        self,
        buffer: memoryview,
        spans: dict[int, tuple[str, int, int]],
        *,
        explicit: bool,
        little_endian: bool,
        encodings: list[str] | None = None,
        signed: bool = False,
    ) -> None:
        super().__init__(little_endian=little_endian, encodings=encodings, signed=signed)
        self.buffer = buffer
        self._spans = spans
        self._explicit = explicit

    def __contains__(self, tag: int) -> bool:
        return tag in self._spans

    def tags(self) -> list[int]:
        """Return the tags found, in file order."""
        return list(self._spans)

    def raw(self, tag: int) -> tuple[str, memoryview] | None:
        span = self._spans.get(tag)
        if span is None:
            return None
        vr, start, length = span
        return vr, self.buffer[start : start + length]

    def items(self, tag: int) -> Iterator[Elements]:
        try:
            yield from self._items(tag)
        except Unusual as unusual:
            raise Rejected(
                "header_invalid", f"The sequence ({tag >> 16:04X},{tag & 0xFFFF:04X}) cannot be read: {unusual}."
            ) from unusual

    def _items(self, tag: int) -> Iterator[Elements]:
        span = self._spans.get(tag)
        if span is None:
            return
        vr, offset, length = span
        explicit = self._explicit and vr != "UN"  # a sequence of unknown VR is implicit inside (PS3.5 6.2.2)
        head = struct.Struct("<HHI" if self.little_endian else ">HHI").unpack_from
        end = offset + length
        while offset + 8 <= end:
            group, element, size = head(self.buffer, offset)
            offset += 8
            kind = group << 16 | element
            if kind == SEQUENCE_END:
                return
            if kind != ITEM:
                raise Unusual("a sequence holds something that is no item")
            if size != UNDEFINED and offset + size > end:
                raise Unusual("an item is longer than its sequence")
            spans, offset = _walk(
                self.buffer,
                offset,
                end if size == UNDEFINED else offset + size,
                explicit,
                self.little_endian,
                size == UNDEFINED,
            )
            yield Walked(
                self.buffer,
                spans,
                explicit=explicit,
                little_endian=self.little_endian,
                encodings=self.encodings,
                signed=self.signed,
            )


class PixelSpan:
    """Where the pixel element lies: its tag, VR, the offset of its value, and its length (UNDEFINED: encapsulated)."""

    __slots__ = ("length", "offset", "tag", "vr")

    def __init__(self, tag: int, vr: str, offset: int, length: int) -> None:
        self.tag = tag
        self.vr = vr
        self.offset = offset
        self.length = length


def walk(buffer: memoryview, offset: int, *, explicit: bool, little_endian: bool) -> tuple[Walked, PixelSpan | None]:
    """Locate all top-level elements up to the pixel data; the span is None when the data set ends without any.

    Raises Unusual when the data set is not well formed. The length of the pixel data is not checked.
    """
    spans, _ = _walk(buffer, offset, len(buffer), explicit, little_endian, False)
    pixels = None
    for tag in tags.PIXEL_TAGS & spans.keys():
        vr, start, length = spans.pop(tag)
        pixels = PixelSpan(tag, vr or tags.VR[tag], start, length)
    return Walked(buffer, spans, explicit=explicit, little_endian=little_endian), pixels


def _walk(
    buffer: memoryview, offset: int, end: int, explicit: bool, little: bool, until_item_end: bool
) -> tuple[dict[int, tuple[str, int, int]], int]:
    """Locate elements from offset to end, or to an item delimiter; return them and the offset behind."""
    spans: dict[int, tuple[str, int, int]] = {}
    order = "<" if little else ">"
    head = struct.Struct(order + "HH2sH").unpack_from
    long_length = struct.Struct(order + "I").unpack_from
    short_vrs, long_vrs = SHORT, LONG
    while offset + 8 <= end:
        group, element, code, length = head(buffer, offset)
        tag = group << 16 | element
        if explicit and group != 0xFFFE:
            vr = short_vrs.get(code)
            if vr is not None:
                offset += 8
            else:
                vr = long_vrs.get(code)
                if vr is None:
                    raise Unusual(f"element {tag:08X} has the value representation {bytes(code)!r}")
                if offset + 12 > end:
                    raise Unusual("the data ends inside an element's head", truncated=True)
                length = long_length(buffer, offset + 8)[0]
                offset += 12
        else:
            vr = ""
            length = long_length(buffer, offset + 4)[0]
            offset += 8
        if group >= 0x7FE0:
            if tag in tags.PIXEL_TAGS and not until_item_end:
                spans[tag] = (vr, offset, length)
                return spans, offset
            if tag == ITEM_END and until_item_end:
                return spans, offset  # the offset is behind the delimiter already: it has no VR
            if group == 0xFFFE:
                raise Unusual("a delimiter stands where an element should")
        if length == UNDEFINED:
            if vr not in ("SQ", "UN", "", "OB", "OW"):
                raise Unusual(f"element {tag:08X} has an undefined length")
            start = offset
            offset = _skip_undefined(buffer, offset, end, explicit and vr != "UN", little)
            spans[tag] = (vr, start, offset - start)
            continue
        if offset + length > end:
            raise Unusual(f"element {tag:08X} runs past the end", truncated=True)
        spans[tag] = (vr, offset, length)
        offset += length
    if until_item_end or (offset != end and any(buffer[offset:end])):
        raise Unusual("the data ends inside an element's head", truncated=True)
    return spans, offset


def _skip_undefined(buffer: memoryview, offset: int, end: int, explicit: bool, little: bool) -> int:
    """Return the offset behind the delimiter of the undefined-length sequence whose items start at offset."""
    order = "<" if little else ">"
    head = struct.Struct(order + "HHI").unpack_from
    long_length = struct.Struct(order + "I").unpack_from
    open_levels = [(True, explicit)]  # innermost last: (is a sequence, explicit VR inside)
    while offset + 8 <= end:
        group, element, length = head(buffer, offset)
        tag = group << 16 | element
        is_sequence, explicit = open_levels[-1]
        if is_sequence:
            offset += 8
            if tag == SEQUENCE_END:
                open_levels.pop()
                if not open_levels:
                    return offset
            elif tag != ITEM:
                raise Unusual("a sequence holds something that is no item")
            elif length == UNDEFINED:
                open_levels.append((False, explicit))
            else:
                offset += length
            continue
        if tag == ITEM_END:
            offset += 8
            open_levels.pop()
            continue
        code = bytes(buffer[offset + 4 : offset + 6])
        inner = explicit
        if not explicit:
            offset += 8
        elif code in SHORT:
            length = length >> 16 if little else length & 0xFFFF
            offset += 8
        elif code in LONG:
            if offset + 12 > end:
                break
            length = long_length(buffer, offset + 8)[0]
            offset += 12
            inner = code != b"UN"
        else:
            raise Unusual(f"element {tag:08X} has the value representation {code!r}")
        if length == UNDEFINED:
            open_levels.append((True, inner))
        else:
            offset += length
    raise Unusual("a sequence is not closed", truncated=True)
