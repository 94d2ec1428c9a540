"""What a compressed stream says about itself, read before a decoder may allocate for it."""

import struct
from dataclasses import dataclass

from .errors import Rejected

# ISO/IEC 10918-1 table B.1: start-of-frame markers; 14495-1 (JPEG-LS) adds F7. C4, C8 and CC are no frames.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7))
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
JPEG_LOSSLESS_FRAME = 0xC3
_SOC_SIZ = b"\xff\x4f\xff\x51"


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """Size and sample layout of a code stream; ``frame`` is the start-of-frame marker of JPEG and JPEG-LS."""

    width: int
    height: int
    components: int
    precision: int
    signed: bool = False
    frame: int = 0
    subsampled: bool = False
    exif_orientation: int = 1
    adobe_transform: int | None = None
    jfif: bool = False
    component_ids: bytes = b""
    levels: int = 0
    """Wavelet decompositions of a JPEG 2000 stream: how often it can be halved without decoding everything."""


def read_jpeg_header(data: memoryview) -> StreamHeader:
    """Read the marker segments of a JPEG or JPEG-LS stream up to its frame header (ISO/IEC 10918-1 annex B).

    Raises Rejected (``image_corrupt``) when no frame header is found.
    """
    end = len(data)
    offset = 2
    orientation, adobe, jfif = 1, None, False
    if bytes(data[:2]) == b"\xff\xd8":
        while offset + 4 <= end:
            if data[offset] != 0xFF:
                offset += 1  # decoders skip stray bytes between segments, so does this
                continue
            marker = data[offset + 1]
            if marker == 0xFF or marker == 0:
                offset += 1
                continue
            if marker in _STANDALONE:
                offset += 2
                continue
            if marker in (0xD9, 0xDA):
                break
            length = data[offset + 2] << 8 | data[offset + 3]
            segment = data[offset + 4 : offset + 2 + length]
            if length < 2 or offset + 2 + length > end:
                break
            if marker in _FRAMES:
                return _jpeg_frame(marker, segment, orientation, adobe, jfif)
            if marker == 0xE0 and bytes(segment[:4]) == b"JFIF":
                jfif = True
            elif marker == 0xE1 and bytes(segment[:6]) == b"Exif\0\0" and orientation == 1:
                orientation = exif_orientation(segment[6:])
            elif marker == 0xEE and bytes(segment[:5]) == b"Adobe" and len(segment) >= 12:
                adobe = segment[11]
            offset += 2 + length
    raise Rejected("image_corrupt", "The JPEG stream has no readable frame header.")


def _jpeg_frame(marker: int, segment: memoryview, orientation: int, adobe: int | None, jfif: bool) -> StreamHeader:
    if len(segment) < 6 or len(segment) < 6 + 3 * segment[5] or not segment[5]:
        raise Rejected("image_corrupt", "The JPEG frame header is incomplete.")
    precision, height, width, components = struct.unpack_from(">BHHB", segment)
    sampling = {segment[7 + 3 * index] for index in range(components)}
    return StreamHeader(
        width=width,
        height=height,
        components=components,
        precision=precision,
        frame=marker,
        subsampled=len(sampling) > 1,
        exif_orientation=orientation,
        adobe_transform=adobe,
        jfif=jfif,
        component_ids=bytes(segment[6 + 3 * index] for index in range(components)),
    )


def exif_orientation(tiff: memoryview) -> int:
    """Return tag 0112 of the first image directory of an EXIF block (CIPA DC-008), 1 when missing or unreadable."""
    if len(tiff) < 14:
        return 1
    order = {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))
    if order is None:
        return 1
    offset = struct.unpack_from(order + "I", tiff, 4)[0]
    if offset + 2 > len(tiff):
        return 1
    count = struct.unpack_from(order + "H", tiff, offset)[0]
    for entry in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, entry)
        if tag == 0x0112 and kind == 3:
            value: int = struct.unpack_from(order + "H", tiff, entry + 8)[0]
            return value if 1 <= value <= 8 else 1
    return 1


def read_j2k_header(data: memoryview) -> StreamHeader:
    """Read the SIZ segment of a JPEG 2000 code stream, bare or in a JP2 file (ISO/IEC 15444-1 A.5.1).

    Raises Rejected (``image_corrupt``) when there is none, or when the image is cut from a larger reference grid in a
    way that no DICOM frame is.
    """
    at = bytes(data[:4096]).find(_SOC_SIZ)
    if at < 0 or len(data) < at + 44:
        raise Rejected("image_corrupt", "The JPEG 2000 stream has no readable header.")
    xsiz, ysiz, xosiz, yosiz = struct.unpack_from(">4I", data, at + 8)
    components = struct.unpack_from(">H", data, at + 40)[0]
    if not components or len(data) < at + 42 + 3 * components or xosiz >= xsiz or yosiz >= ysiz:
        raise Rejected("image_corrupt", "The JPEG 2000 header is not valid.")
    depth = data[at + 42]
    sampling = {bytes(data[at + 43 + 3 * index : at + 45 + 3 * index]) for index in range(components)}
    return StreamHeader(
        width=xsiz - xosiz,
        height=ysiz - yosiz,
        components=components,
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
        subsampled=sampling != {b"\x01\x01"},
        levels=_j2k_levels(data, at + 2),
    )


def _j2k_levels(data: memoryview, offset: int) -> int:
    """Return the number of decomposition levels from the COD segment (ISO/IEC 15444-1 A.6.1), 0 when there is none."""
    end = len(data)
    while offset + 10 <= end and data[offset] == 0xFF and data[offset + 1] != 0x90:  # up to the first tile part
        if data[offset + 1] == 0x52:
            return data[offset + 9]
        offset += 2 + (data[offset + 2] << 8 | data[offset + 3])
    return 0
