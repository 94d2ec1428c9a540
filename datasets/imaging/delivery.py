"""Which stored frames browsers decode right, and which are decoded for them.

Told twice: from what a row knows of an image (a prediction), and from the code stream itself, which decides.
"""

from dataclasses import dataclass

from .codestreams import JPEG_LOSSLESS_FRAME, StreamHeader, read_j2k_header, read_jpeg_header
from .dicom import syntaxes
from .errors import Rejected

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
_RAW = frozenset((syntaxes.IMPLICIT_LITTLE, syntaxes.EXPLICIT_LITTLE))
_LOSSY_JPEG = frozenset((syntaxes.JPEG_BASELINE, syntaxes.JPEG_EXTENDED))
_LOSSLESS_JPEG = frozenset((syntaxes.JPEG_LOSSLESS, syntaxes.JPEG_LOSSLESS_SV1))
_J2K = syntaxes.J2K | syntaxes.HIGH_THROUGHPUT_J2K
_SEQUENTIAL = frozenset((0xC0, 0xC1))

_GREY_SYNTAXES = _RAW | _LOSSY_JPEG | _LOSSLESS_JPEG | syntaxes.JPEG_LS | _J2K | {syntaxes.RLE}
_COLOURS = (
    (_RAW | {syntaxes.RLE}, frozenset(("RGB",))),
    (_LOSSY_JPEG, frozenset(("YBR_FULL", "YBR_FULL_422"))),
    (_J2K, frozenset(("RGB", "YBR_ICT", "YBR_RCT"))),
)


@dataclass(frozen=True, slots=True)
class PixelKind:
    """What the Image Pixel module says of a frame (PS3.3 C.7.6.3)."""

    transfer_syntax: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: bool
    has_modality_lut: bool = False


def passes(kind: PixelKind) -> bool:
    """Tell whether frames of this kind are sent as they are stored, as far as the header can tell."""
    if kind.has_modality_lut or kind.bits_allocated not in (8, 16) or kind.high_bit != kind.bits_stored - 1:
        return False
    syntax = kind.transfer_syntax
    if kind.samples == 1 and kind.photometric in GREY:
        deep = kind.bits_allocated > 8 or kind.signed
        return syntax in _GREY_SYNTAXES and not (deep and syntax in _LOSSY_JPEG)
    if kind.samples != 3 or kind.bits_stored != 8 or kind.bits_allocated != 8 or kind.signed:
        return False
    if kind.planar and syntax in _RAW:
        return False
    return any(syntax in group and kind.photometric in colours for group, colours in _COLOURS)


def stream_passes(kind: PixelKind, data: memoryview) -> bool:
    """Tell whether this code stream of a frame that `passes` comes out of a browser's decoder as it does here.

    A stream that cannot be read is not passed on: decoding it here says what is wrong with it.
    """
    syntax = kind.transfer_syntax
    if syntax in _RAW:
        return len(data) == kind.rows * kind.columns * kind.samples * kind.bits_allocated // 8
    if syntax == syntaxes.RLE:
        return int.from_bytes(data[:4], "little") == kind.samples * kind.bits_allocated // 8
    try:
        header = read_j2k_header(data) if syntax in _J2K else read_jpeg_header(data)
    except Rejected:
        return False
    if (header.width, header.height, header.components) != (kind.columns, kind.rows, kind.samples):
        return False
    if (header.precision > 8) != (kind.bits_allocated > 8) or header.precision > kind.bits_stored:
        return False  # decoders return as many bytes a sample as the stream needs, viewers expect what the header says
    if syntax in _J2K:
        return header.signed == kind.signed and not header.subsampled
    if syntax in _LOSSY_JPEG:
        return header.frame in _SEQUENTIAL and (kind.samples == 1 or _taken_for_ybr(header))
    return (header.frame == JPEG_LOSSLESS_FRAME) == (syntax in _LOSSLESS_JPEG)


def _taken_for_ybr(header: StreamHeader) -> bool:
    """Tell whether libjpeg takes three samples for YCbCr and the stream does not say otherwise."""
    if header.adobe_transform is not None:
        return header.adobe_transform == 1
    return header.jfif or header.component_ids != b"RGB"
