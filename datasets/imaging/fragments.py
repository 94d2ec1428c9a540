"""Cuts single frames out of a stored DICOM object by reading ranges of it (PS3.5 A.4): the rest is never read.

No decoder, no header: where the pixel element lies was found before (`PixelPlace`).
"""

import itertools
import struct
import threading
from array import array
from collections.abc import Callable

from .dicom import syntaxes
from .errors import Rejected
from .records import PixelPlace

Read = Callable[[int, int], bytes]
"""Returns the bytes of a file from an offset, as many as asked for or up to the end of the file."""

_ITEM = 0xFFFEE000
_SEQUENCE_END = 0xFFFEE0DD
_HEAD = struct.Struct("<HHI")
_LOOK = 16  # an item's head and enough of its value to know a code stream by


class FrameIndex:
    """Where each frame of one object begins; learnt as far as it is asked for, kept, and safe to share by threads."""

    def __init__(self, place: PixelPlace, size: int) -> None:
        self.place = place
        self._size = size
        self._starts = array("Q")
        """Offsets of the first item of each frame known so far; behind the last frame, that of the end."""
        self._complete = False
        self._by_table = False
        self._first = 0
        self._next = 0
        self._growing = threading.Lock()

    def read_frame(self, index: int, read: Read) -> bytes:
        """Return the bytes of a frame, counted from 0: its fragments joined, or its samples.

        Raises Rejected: ``frame_missing``, ``pixel_data_truncated``, ``pixel_data_corrupt``.
        """
        place = self.place
        if not 0 <= index < place.frames:
            raise Rejected("frame_missing", f"The image has {place.frames} frames.")
        if place.frame_bytes:
            data = read(place.offset + index * place.frame_bytes, place.frame_bytes)
            if len(data) < place.frame_bytes:
                raise Rejected("pixel_data_truncated", "The file ends inside the frame.")
            return data
        start, end = self._bounds(index, read)
        try:
            return join_items(read(start, end - start))
        except Rejected:
            if not self._forget_tables():
                raise
        start, end = self._bounds(index, read)
        return join_items(read(start, end - start))

    def _forget_tables(self) -> bool:
        """Walk the items from now on: the offset table does not fit them. False where there was none to forget."""
        with self._growing:
            by_table, self._by_table = self._by_table, False
            if by_table:
                self._starts, self._complete, self._next = array("Q"), False, self._first
            return by_table

    def _bounds(self, index: int, read: Read) -> tuple[int, int]:
        with self._growing:
            if not self._next:
                self._read_tables(read)
            while not self._complete and len(self._starts) <= index + 1:
                self._read_item(read)
            if len(self._starts) <= index + 1:
                raise Rejected("pixel_data_truncated", f"The file ends before frame {index + 1}.")
            return self._starts[index], self._starts[index + 1]

    def _read_tables(self, read: Read) -> None:
        """Take the starts from the extended or basic offset table where one fits; else begin to walk the items."""
        place = self.place
        tag, length = _head(read(place.offset, _HEAD.size))
        if tag != _ITEM:
            raise Rejected("pixel_data_corrupt", "The pixel data do not begin with an offset table.")
        first = self._first = self._next = place.offset + _HEAD.size + length
        if place.frames == 1:
            offsets: tuple[int, ...] = (0,)
        elif place.extended:
            offsets = place.extended
        else:
            table = read(place.offset + _HEAD.size, length)
            offsets = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
        if self._fit(offsets, first, read):
            self._starts = array("Q", [*(first + offset for offset in offsets), self._size])
            self._complete = True
            self._by_table = place.frames > 1

    def _fit(self, offsets: tuple[int, ...], first: int, read: Read) -> bool:
        """Tell whether there is one offset a frame, ascending from 0, and the last of them points to an item."""
        if len(offsets) != self.place.frames or offsets[0] != 0 or first + offsets[-1] + _HEAD.size > self._size:
            return False
        if any(after <= before for before, after in itertools.pairwise(offsets)):
            return False
        return len(offsets) == 1 or _head(read(first + offsets[-1], _HEAD.size))[0] == _ITEM

    def _read_item(self, read: Read) -> None:
        """Look at the next item: a frame begins where a code stream does; each RLE item is a frame (PS3.5 A.4.2)."""
        look = read(self._next, _LOOK)
        tag, length = _head(look)
        if tag == _SEQUENCE_END:
            self._starts.append(self._next)
            self._complete = True
            return
        if tag != _ITEM:
            raise Rejected("pixel_data_corrupt", "The pixel data hold something that is no fragment.")
        if length and (self.place.transfer_syntax == syntaxes.RLE or begins_code_stream(look[_HEAD.size :])):
            self._starts.append(self._next)
        elif length and not self._starts:
            raise Rejected("pixel_data_corrupt", "The fragments cannot be assigned to frames.")
        self._next += _HEAD.size + length


def join_items(data: bytes) -> bytes:
    """Return the values of the items that data begins with, joined; what follows a sequence delimiter is left out.

    Raises Rejected (``pixel_data_truncated``, ``pixel_data_corrupt``).
    """
    values, at = [], 0
    while at + _HEAD.size <= len(data):
        tag, length = _head(data[at : at + _HEAD.size])
        at += _HEAD.size
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM:
            raise Rejected("pixel_data_corrupt", "The pixel data hold something that is no fragment.")
        if at + length > len(data):
            raise Rejected("pixel_data_truncated", "The file ends inside a fragment of the pixel data.")
        values.append(data[at : at + length])
        at += length
    return values[0] if len(values) == 1 else b"".join(values)


def begins_code_stream(first: bytes) -> bool:
    """Tell whether a fragment's first bytes are those of a JPEG, JPEG-LS or JPEG 2000 stream, or of a JP2 box."""
    return first[:2] == b"\xff\xd8" or first[:4] == b"\xff\x4f\xff\x51" or first[4:8] == b"jP  "


def _head(data: bytes) -> tuple[int, int]:
    if len(data) < _HEAD.size:
        raise Rejected("pixel_data_truncated", "The file ends before its last fragment of pixel data.")
    group, element, length = _HEAD.unpack(data[: _HEAD.size])
    return group << 16 | element, length
