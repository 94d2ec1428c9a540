"""A DICOM object in pieces: its header and one frame, so that nobody needs the whole of a long one in memory."""

from dataclasses import replace
from typing import Any

from ..errors import Rejected
from ..limits import Limits
from ..records import PixelPlace
from . import syntaxes, tags
from .elements import Elements
from .file import open_dicom
from .frames import EncapsulatedFrames
from .image import DicomImage
from .kinds import refuse_non_image
from .pixels import describe_pixels
from .walker import UNDEFINED


def locate_pixels(head: memoryview, limits: Limits) -> PixelPlace:
    """Return where the pixels of an object lie, from the bytes of its file up to the pixel element's value at least.

    Raises Rejected where the bytes do not reach that far or the object is no sound image, Skipped where it is no image.
    Objects that cannot be cut at whole bytes (deflated, 1-bit, big endian) are Rejected as ``not_in_parts``.
    """
    file = open_dicom(head, limits)
    pixels = describe_pixels(file, refuse_non_image(file, annotations=True), limits, complete=False)
    if file.transfer_syntax == syntaxes.DEFLATED_LITTLE or pixels.bits_allocated < 8 or not file.little_endian:
        raise Rejected("not_in_parts", "The object has to be read as a whole.")
    if pixels.encapsulated != (pixels.length == UNDEFINED):
        raise Rejected("header_invalid", "The pixel data contradict the transfer syntax.")
    if not pixels.encapsulated and pixels.length * 8 < pixels.frames * pixels.frame_bits:
        raise Rejected("pixel_data_truncated", "The pixel data are shorter than the frames.")
    return PixelPlace(
        transfer_syntax=file.transfer_syntax,
        little_endian=file.little_endian,
        offset=pixels.offset,
        length=pixels.length,
        frames=pixels.frames,
        frame_bytes=0 if pixels.encapsulated else pixels.frame_bits // 8,
        extended=_extended(file.elements),
    )


def open_part(data: memoryview, head: int, index: int, limits: Limits) -> DicomImage:
    """Return an object of one frame made of the first ``head`` bytes of a file and the bytes of that frame behind them.

    It is frame ``index`` of the object, counted from 0, and frame 0 of the result, whose header is the object's.
    """
    file = open_dicom(data[:head], limits)
    pixels = describe_pixels(file, refuse_non_image(file, annotations=True), limits, complete=False)
    pixels = replace(pixels, frames=1, offset=head, length=len(data) - head)
    frames = None
    if pixels.encapsulated:
        frames = EncapsulatedFrames(data, [[(head, len(data) - head)]])
    elif pixels.length * 8 < pixels.frame_bits:
        raise Rejected("pixel_data_truncated", "The frame is shorter than the header says.")
    return DicomImage(replace(file, buffer=data), pixels, frames, first=index)


def _extended(elements: Elements) -> tuple[int, ...]:
    values: list[Any] = elements.numbers(tags.EXTENDED_OFFSET_TABLE)
    return tuple(int(value) for value in values)
