"""The Image Pixel module (PS3.3 C.7.6.3), checked against the limits and against the bytes that are really there."""

from dataclasses import dataclass

from ..errors import Rejected
from ..limits import Limits
from . import syntaxes, tags
from .elements import Elements
from .file import DicomFile
from .walker import UNDEFINED, PixelSpan

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
COLOUR = frozenset(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"))
PALETTE = "PALETTE COLOR"


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """How the pixel element is laid out; ``is_float`` for Float and Double Float Pixel Data."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: bool
    is_float: bool
    little_endian: bool
    transfer_syntax: str
    vr: str
    offset: int
    length: int

    @property
    def encapsulated(self) -> bool:
        """Whether frames are compressed items (PS3.5 A.4) rather than one run of samples."""
        return self.transfer_syntax in syntaxes.ENCAPSULATED

    @property
    def frame_bits(self) -> int:
        """Size of one native frame; YBR_FULL_422 stores two samples per pixel (PS3.3 C.7.6.3.1.2)."""
        samples = 2 if self.photometric == "YBR_FULL_422" and self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


def describe_pixels(file: DicomFile, span: PixelSpan, limits: Limits, *, complete: bool = True) -> PixelDescription:
    """Read and check the Image Pixel module; with ``complete`` also that all bytes of uncompressed frames are there.

    Raises Rejected: ``header_invalid``, ``image_too_small``, ``image_too_large``, ``too_many_frames``,
    ``bit_depth_unsupported``, ``photometric_unsupported``, ``transfer_syntax_unsupported``, ``pixel_data_truncated``.
    """
    elements = file.elements
    rows = _required(elements, tags.ROWS, "Rows")
    columns = _required(elements, tags.COLUMNS, "Columns")
    if rows < 1 or columns < 1:
        raise Rejected("header_invalid", f"The image is said to be {columns} × {rows} pixels.")
    is_float = span.tag != tags.PIXEL_DATA
    bits_allocated = _required(elements, tags.BITS_ALLOCATED, "BitsAllocated")
    bits_stored = elements.integer(tags.BITS_STORED) or bits_allocated
    high_bit = elements.integer(tags.HIGH_BIT)
    samples = elements.integer(tags.SAMPLES_PER_PIXEL) or 1
    photometric = elements.text(tags.PHOTOMETRIC_INTERPRETATION).upper()
    if not photometric and samples == 1:
        photometric = "MONOCHROME2"
    frames = _frames(elements)
    if photometric == "YBR_FULL_422" and samples == 3 and file.transfer_syntax not in syntaxes.ENCAPSULATED:
        whole = frames * rows * columns * samples * bits_allocated // 8
        if span.length != UNDEFINED and span.length >= whole:
            photometric = "YBR_FULL"  # somebody has decompressed it and left the label: nothing is halved any more
    description = PixelDescription(
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=bits_stored - 1 if high_bit is None else high_bit,
        signed=elements.integer(tags.PIXEL_REPRESENTATION) == 1,
        photometric=photometric,
        planar=elements.integer(tags.PLANAR_CONFIGURATION) == 1,
        is_float=is_float,
        little_endian=file.little_endian,
        transfer_syntax=file.transfer_syntax,
        vr=span.vr,
        offset=span.offset,
        length=span.length,
    )
    _check_kind(description)
    check_size(columns, rows, limits)
    if description.frames > limits.max_frames:
        raise Rejected(
            "too_many_frames", f"The image has {description.frames} frames; at most {limits.max_frames} are read."
        )
    if rows * columns * samples * max(1, bits_allocated // 8) > limits.max_frame_bytes:
        raise Rejected("image_too_large", f"One frame of {columns} × {rows} pixels is too large to decode.")
    if complete and not description.encapsulated:
        _check_length(description, len(file.buffer))
    return description


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise Rejected (``image_too_small``, ``image_too_large``) unless both sides are within the limits."""
    if min(width, height) < limits.min_side:
        raise Rejected(
            "image_too_small", f"The image is {width} × {height} px; each side needs at least {limits.min_side} px."
        )
    if max(width, height) > limits.max_side or width * height > limits.max_pixels:
        raise Rejected(
            "image_too_large", f"The image is {width} × {height} px; each side may have at most {limits.max_side} px."
        )


def _required(elements: Elements, tag: int, keyword: str) -> int:
    value = elements.integer(tag)
    if value is None:
        raise Rejected("header_invalid", f"The DICOM attribute {keyword} is missing or unreadable.")
    return value


def _frames(elements: Elements) -> int:
    if not elements.bytes_of(tags.NUMBER_OF_FRAMES):
        return 1
    text = elements.text(tags.NUMBER_OF_FRAMES)
    frames = elements.integer(tags.NUMBER_OF_FRAMES)
    if text and (frames is None or frames < 0):
        raise Rejected("header_invalid", "The DICOM attribute NumberOfFrames is not a number.")
    return max(1, frames or 1)


def _check_kind(pixels: PixelDescription) -> None:
    if pixels.transfer_syntax not in syntaxes.SUPPORTED:
        raise Rejected(
            "transfer_syntax_unsupported",
            f"The transfer syntax {syntaxes.describe(pixels.transfer_syntax)} is not supported.",
        )
    bits, stored = pixels.bits_allocated, pixels.bits_stored
    if pixels.is_float:
        if bits not in (32, 64) or pixels.encapsulated or pixels.samples != 1:
            raise Rejected("bit_depth_unsupported", f"Floating point pixels of {bits} bits are not supported.")
    elif bits not in (1, 8, 16, 32) or not 1 <= stored <= bits or not stored - 1 <= pixels.high_bit < bits:
        raise Rejected(
            "bit_depth_unsupported",
            f"BitsAllocated {bits}, BitsStored {stored} and HighBit {pixels.high_bit} are not supported together.",
        )
    if pixels.samples == 1 and pixels.photometric not in GREY | {PALETTE}:
        known = False
    elif pixels.samples == 3:
        known = pixels.photometric in COLOUR and bits >= 8
    else:
        known = pixels.samples == 1
    if not known:
        raise Rejected(
            "photometric_unsupported",
            f"The photometric interpretation {pixels.photometric or '(none)'} with {pixels.samples} samples per pixel "
            "is not supported.",
        )


def _check_length(pixels: PixelDescription, available: int) -> None:
    """Compare what the frames need with the declared length and with the bytes present; nothing is allocated yet."""
    if pixels.length == UNDEFINED:
        raise Rejected("header_invalid", "The pixel data are encapsulated, but the transfer syntax is uncompressed.")
    needed = (pixels.frames * pixels.frame_bits + 7) // 8
    present = min(pixels.length, available - pixels.offset)
    if present == 0:
        raise Rejected("pixel_data_missing", "The pixel data are empty.")
    if present < needed:
        raise Rejected(
            "pixel_data_truncated", f"The pixel data are too short: {needed} bytes are declared, {present} are there."
        )
