"""Frames for viewers that decode and window themselves: the stored bytes of one frame, or its samples decoded here."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.imaging import Rejected, Samples
from datasets.imaging.delivery import PixelKind, passes, stream_passes
from datasets.models import Image
from datasets.models.image import ImageFormat
from deepcap.common.errors import DomainError

from .decoding import decoder
from .pieces import Pieces


class FrameMissing(DomainError):
    status = 404
    code = "frame_missing"


@dataclass(frozen=True)
class StoredFrame:
    """One frame as it is stored: a code stream, or samples of an uncompressed little endian syntax."""

    data: bytes
    transfer_syntax: str


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


def _stored_frame(image: Image, frame: int) -> StoredFrame | None:
    """Return a frame's own bytes; None where they cannot be cut out: the file is decoded as a whole then."""
    pieces = Pieces(image)
    index = pieces.index()
    if index is None:
        return None
    try:
        return StoredFrame(index.read_frame(frame - 1, pieces.read), index.place.transfer_syntax)
    except Rejected:
        return None  # the decoder, given all of the file, has the last word and says what is wrong


def _samples(image: Image, frame: int) -> Samples:
    data, head = Pieces(image).with_frame(frame)
    with decoder() as sandbox:
        return sandbox.samples(data, frame=frame, head=head)
