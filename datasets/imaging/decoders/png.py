"""The chunks of a PNG file (PNG specification, third edition, section 5), checked before anything is decoded."""

import struct
import zlib
from dataclasses import dataclass

from ..codestreams import exif_orientation
from ..errors import Rejected

SIGNATURE_LENGTH = 8
# Colour type → samples per pixel and the bit depths allowed (table 11.1).
_COLOUR_TYPES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)), 4: (2, (8, 16)), 6: (4, (8, 16))}

# Adam7: first column, first row, column step, row step of each pass.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 20


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
    interlaced: bool
    exif_orientation: int
    scan_bytes: int
    """Bytes of all filtered scan lines, which is what the IDAT chunks must inflate to."""


def read_png_header(data: memoryview) -> PngHeader:
    """Walk all chunks up to IEND and check their order, lengths and checksums.

    Raises Rejected (``image_corrupt``) when the file is cut short or damaged anywhere: no picture is half right.
    """
    offset, end = SIGNATURE_LENGTH, len(data)
    header: tuple[int, int, int, int, bool] | None = None
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
    width, height, depth, colour, interlaced = header
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
        interlaced=interlaced,
        exif_orientation=orientation,
        scan_bytes=_scan_bytes(width, height, depth * _COLOUR_TYPES[colour][0], interlaced),
    )


def check_scan_lines(data: memoryview, header: PngHeader) -> None:
    """Inflate the IDAT chunks, keeping nothing, and count.

    Raises Rejected (``image_corrupt``) when they hold less than the picture. Pillow would show the missing lines black.
    """
    inflater = zlib.decompressobj()
    missing = header.scan_bytes
    offset = SIGNATURE_LENGTH
    try:
        while missing > 0:
            length, kind = struct.unpack_from(">I4s", data, offset)
            if kind == b"IEND":
                break
            pending: bytes | memoryview = data[offset + 8 : offset + 8 + length] if kind == b"IDAT" else b""
            while pending and missing > 0 and not inflater.eof:
                missing -= len(inflater.decompress(pending, _PIECE))
                pending = inflater.unconsumed_tail
            offset += 12 + length
    except zlib.error as fault:
        raise Rejected("image_corrupt", "The PNG data are corrupt.") from fault
    if missing > 0:
        raise Rejected("image_corrupt", "The PNG data end before the last line.")


def _scan_bytes(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Return the size of all scan lines with their filter bytes; interlaced ones as seven pictures (section 8.1)."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, across, down in passes:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _read_ihdr(body: memoryview) -> tuple[int, int, int, int, bool]:
    """Return width, height, bit depth, colour type and interlacing of a valid IHDR (section 11.2.1)."""
    if len(body) != 13:
        raise Rejected("image_corrupt", "The PNG header is not valid.")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if not width or not height or depth not in _COLOUR_TYPES.get(colour, (0, ()))[1]:
        raise Rejected("image_corrupt", "The PNG header is not valid.")
    if compression or filtering or interlace > 1:
        raise Rejected("image_corrupt", "The PNG header names an unknown method.")
    return width, height, depth, colour, interlace == 1
