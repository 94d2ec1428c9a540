"""Frames for viewers that decode and window themselves: the stored bytes of one frame, or its samples decoded here.

Of a file of many frames only the header and the frame are read. Where frames begin is kept a while in this process.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from datasets.blobs.store import get_store
from datasets.imaging import Rejected, Samples
from datasets.imaging.delivery import PixelKind, passes, stream_passes
from datasets.imaging.dicom import syntaxes
from datasets.imaging.fragments import FrameIndex
from datasets.models import Image
from datasets.models.blob import Blob
from datasets.models.image import ImageFormat
from deepcap.common.errors import DomainError

from .decoding import NotDrawable, decoder
from .renderings import NotDicom

HEAD_BYTES = 1 << 20
"""What is read of a file at first: the header, and of most files all there is."""

_GROWTH = 16
_KEPT_INDEXES = 2048

_indexes: OrderedDict[str, FrameIndex] = OrderedDict()
_indexes_lock = threading.Lock()


class FrameMissing(DomainError):
    status = 404
    code = "frame_missing"


@dataclass(frozen=True)
class StoredFrame:
    """One frame as it is stored: a code stream, or samples of an uncompressed little endian syntax."""

    data: bytes
    transfer_syntax: str


class _Ranges:
    """A stored file read by range; the bytes read first are kept, since what is asked for next is mostly in them."""

    def __init__(self, blob: Blob) -> None:
        self._key = blob.original_key
        self.size = blob.size
        self.head = b""

    def read(self, start: int, length: int) -> bytes:
        end = min(start + length, self.size)
        if end <= len(self.head):
            return self.head[start:end]
        with get_store().open(self._key, start, end) as stream:
            return _whole(stream, end - start)

    def read_head(self, length: int) -> bytes:
        self.head = self.read(0, length)
        return self.head


def frame_of(*, image: Image, frame: int, decode: bool = False) -> StoredFrame | Samples:
    """Return frame ``frame`` (from 1) as stored where browsers decode it right, otherwise decoded to samples.

    ``decode`` asks for samples in any case. Raises FrameMissing and NotDrawable.
    """
    if not 1 <= frame <= image.frames:
        raise FrameMissing(f"The image has {image.frames} frames.")
    kind = kind_of(image)
    if kind is not None and not decode and passes(kind):
        stored = _stored_frame(image, frame)
        if stored is not None and stream_passes(kind, memoryview(stored.data)):
            return stored
    return _samples(image, frame)


def kind_of(image: Image) -> PixelKind | None:
    """Return what the row knows of a DICOM image's pixels; None for other formats."""
    if image.format != ImageFormat.DICOM:
        return None
    known = image.attributes
    return PixelKind(
        transfer_syntax=image.transfer_syntax_uid,
        rows=image.height,
        columns=image.width,
        samples=known.get("SamplesPerPixel", 1),
        bits_allocated=known.get("BitsAllocated", 8),
        bits_stored=image.bits_stored,
        high_bit=int(known.get("HighBit", image.bits_stored - 1)),
        signed=known.get("PixelRepresentation") == 1,
        photometric=image.photometric_interpretation,
        planar=known.get("PlanarConfiguration") == 1,
        has_modality_lut=bool(known.get("HasModalityLUT")),
    )


def tags_of(image: Image) -> list[dict[str, Any]]:
    """Return a DICOM image's header as rows (`datasets.imaging.dicom.listing`). Raises NotDicom and NotDrawable."""
    head = _header_bytes(image)
    with decoder() as sandbox:
        return sandbox.tags(head)


def voi_luts_of(image: Image) -> list[dict[str, Any]]:
    """Return a DICOM image's VOI LUTs (`datasets.imaging.dicom.luts`). Raises NotDicom and NotDrawable."""
    head = _header_bytes(image)
    with decoder() as sandbox:
        return sandbox.voi_luts(head)


def _stored_frame(image: Image, frame: int) -> StoredFrame | None:
    """Return a frame's own bytes; None where they cannot be cut out: the file is decoded as a whole then."""
    ranges = _Ranges(image.blob)
    index = _index_of(image, ranges)
    if index is None:
        return None
    try:
        return StoredFrame(index.read_frame(frame - 1, ranges.read), index.place.transfer_syntax)
    except Rejected:
        return None  # the decoder, given all of the file, has the last word and says what is wrong


def _samples(image: Image, frame: int) -> Samples:
    ranges = _Ranges(image.blob)
    cut = image.format == ImageFormat.DICOM and image.frames > 1 and image.blob.size > HEAD_BYTES
    index = _index_of(image, ranges) if cut else None
    data, head = b"", 0
    if index is not None:
        head = index.place.offset
        try:
            data = ranges.read(0, head) + index.read_frame(frame - 1, ranges.read)
        except Rejected:
            head = 0
    with decoder() as sandbox:
        return sandbox.samples(data if head else ranges.read(0, ranges.size), frame=frame, head=head)


def _index_of(image: Image, ranges: _Ranges) -> FrameIndex | None:
    """Return where the image's frames lie; None where the file cannot be read in parts."""
    if image.transfer_syntax_uid in (syntaxes.DEFLATED_LITTLE, syntaxes.EXPLICIT_BIG):
        return None
    digest = image.blob.digest
    with _indexes_lock:
        if index := _indexes.get(digest):
            _indexes.move_to_end(digest)
            return index
    index = _locate(ranges)
    if index is not None:
        with _indexes_lock:
            _indexes[digest] = index
            while len(_indexes) > _KEPT_INDEXES:
                _indexes.popitem(last=False)
    return index


def _locate(ranges: _Ranges) -> FrameIndex | None:
    """Find the pixel element in the first bytes of a file, in more of them where its header is long."""
    length = HEAD_BYTES
    while True:
        head = ranges.read_head(length)
        try:
            with decoder() as sandbox:
                place = sandbox.locate_pixels(head)
        except NotDrawable as refused:
            if refused.code == "not_in_parts" or length >= ranges.size:
                return None
            length *= _GROWTH
            continue
        return FrameIndex(place, ranges.size)


def _header_bytes(image: Image) -> bytes:
    """Return a DICOM file up to its pixel data, or all of it where that cannot be told."""
    if image.format != ImageFormat.DICOM:
        raise NotDicom("Only DICOM images have tags.")
    ranges = _Ranges(image.blob)
    index = _index_of(image, ranges)
    return ranges.read(0, index.place.offset if index else ranges.size)


def _whole(stream: Any, length: int) -> bytes:
    parts = []
    while length > 0 and (part := stream.read(length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
