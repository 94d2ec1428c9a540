"""The chunks of a PNG file (PNG specification, third edition, section 5), checked before anything is decoded."""

import struct
import zlib
from dataclasses import dataclass

from ..codestreams import exif_orientation
from ..errors import Rejected

SIGNATURE_LENGTH = 8
# Colour type → samples per pixel and the bit depths allowed (table 11.1).
_COLOUR_TYPES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What the header says; ``alpha`` also where a colour key (tRNS) makes pixels transparent."""

    width: int
    height: int
    precision: int
    components: int
    grey: bool
    palette: bool
    alpha: bool
    exif_orientation: int


def read_png_header(data: memoryview) -> PngHeader:
    """Walk all chunks up to IEND and check their order, lengths and checksums.

    Raises Rejected (``image_corrupt``) when the file is cut short or damaged anywhere: no picture is half right.
    """
    offset, end = SIGNATURE_LENGTH, len(data)
    header: tuple[int, int, int, int] | None = None
    palette = transparency = pixels = False
    orientation = 1
    while True:
        if offset + 12 > end:
            raise Rejected("image_corrupt", "The PNG file ends too early.")
        length, kind = struct.unpack_from(">I4s", data, offset)
        body = offset + 8
        if body + length + 4 > end:
            raise Rejected("image_corrupt", "The PNG file ends too early.")
        if zlib.crc32(data[offset + 4 : body + length]) != struct.unpack_from(">I", data, body + length)[0]:
            raise Rejected("image_corrupt", "The PNG file is damaged: a checksum does not match.")
        if kind == b"IHDR" and header is None:
            header = _read_ihdr(data[body : body + length])
        elif header is None:
            raise Rejected("image_corrupt", "The PNG file does not begin with its header.")
        elif kind == b"PLTE":
            palette = True
        elif kind == b"tRNS":
            transparency = True
        elif kind == b"eXIf":
            orientation = exif_orientation(data[body : body + length])
        elif kind == b"IDAT":
            pixels = True
        elif kind == b"IEND":
            break
        offset = body + length + 4
    width, height, depth, colour = header
    if not pixels or (colour == 3 and not palette):
        raise Rejected("image_corrupt", "The PNG file holds no picture.")
    return PngHeader(
        width=width,
        height=height,
        precision=depth,
        components=_COLOUR_TYPES[colour][0],
        grey=colour in (0, 4),
        palette=colour == 3,
        alpha=colour in (4, 6) or (transparency and not (colour == 0 and depth == 16)),
        exif_orientation=orientation,
    )


def _read_ihdr(body: memoryview) -> tuple[int, int, int, int]:
    """Return width, height, bit depth and colour type of a valid IHDR (section 11.2.1)."""
    if len(body) != 13:
        raise Rejected("image_corrupt", "The PNG header is not valid.")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not width or not height or depth not in _COLOUR_TYPES.get(colour, (0, ()))[1]:
        raise Rejected("image_corrupt", "The PNG header is not valid.")
    if compression or filtering or interlace > 1:
        raise Rejected("image_corrupt", "The PNG header names an unknown method.")
    return width, height, depth, colour
