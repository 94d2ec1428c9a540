"""Stored files in pieces: of one with many frames only the header and the frame that is asked for are read.

Where the frames of a file begin is kept a while in this process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from datasets.blobs.store import get_store
from datasets.imaging import Rejected
from datasets.imaging.dicom import syntaxes
from datasets.imaging.fragments import FrameIndex
from datasets.models import Image
from datasets.models.image import ImageFormat

from .decoding import NotDrawable, decoder

HEAD_BYTES = 1 << 20
"""What is read of a file at first: the header, and of most files all there is."""

_GROWTH = 16
_KEPT_INDEXES = 2048
_IN_ONE_PIECE = frozenset((syntaxes.DEFLATED_LITTLE, syntaxes.EXPLICIT_BIG))

_indexes: OrderedDict[str, FrameIndex] = OrderedDict()
_indexes_lock = threading.Lock()


class Pieces:
    """The file of an image, read by range; what was read of it first is kept, since most of the rest is in that."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.size = image.blob.size
        self._head = b""

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from an offset, as many as asked for or up to the end of the file."""
        end = min(start + length, self.size)
        if end <= len(self._head):
            return self._head[start:end]
        with get_store().open(self.image.blob.original_key, start, end) as stream:
            return _whole(stream, end - start)

    def with_frame(self, frame: int) -> tuple[bytes, int]:
        """Return what a decoder needs for a frame (from 1), and how many bytes of that are the file's beginning.

        Short files, and those that cannot be cut, come whole: the number is 0 then.
        """
        image = self.image
        if image.format == ImageFormat.DICOM and image.frames > 1 and self.size > HEAD_BYTES:
            index = self.index()
            if index is not None:
                head = index.place.offset
                try:
                    return self.read(0, head) + index.read_frame(frame - 1, self.read), head
                except Rejected:
                    pass  # the decoder, given all of the file, says what is wrong
        return self.read(0, self.size), 0

    def header(self) -> bytes:
        """Return a DICOM file up to its pixel data, or all of it where that cannot be told."""
        index = self.index()
        return self.read(0, index.place.offset if index else self.size)

    def index(self) -> FrameIndex | None:
        """Return where the frames of a DICOM file lie; None where it cannot be read in pieces."""
        if self.image.transfer_syntax_uid in _IN_ONE_PIECE:
            return None
        digest = self.image.blob.digest
        with _indexes_lock:
            if known := _indexes.get(digest):
                _indexes.move_to_end(digest)
                return known
        index = self._locate()
        if index is not None:
            with _indexes_lock:
                _indexes[digest] = index
                while len(_indexes) > _KEPT_INDEXES:
                    _indexes.popitem(last=False)
        return index

    def _locate(self) -> FrameIndex | None:
        """Find the pixel element in the first bytes of the file, in more of them where its header is long."""
        length = HEAD_BYTES
        while True:
            self._head = self.read(0, length)
            try:
                with decoder() as sandbox:
                    place = sandbox.locate_pixels(self._head)
            except NotDrawable as refused:
                if refused.code == "not_in_parts" or length >= self.size:
                    return None
                length *= _GROWTH
                continue
            return FrameIndex(place, self.size)


def _whole(stream: Any, length: int) -> bytes:
    parts = []
    while length > 0 and (part := stream.read(length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
