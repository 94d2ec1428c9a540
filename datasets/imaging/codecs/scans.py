"""What the marker segments before a scan say, for streams that the compiled decoders take."""

import struct
from dataclasses import dataclass

_LOSSLESS, _JPEG_LS = 0xC3, 0xF7  # ISO/IEC 10918-1 table B.1; 14495-1 annex C.1.1
_DHT, _DRI, _SOS, _LSE = 0xC4, 0xDD, 0xDA, 0xF8
_IGNORED = frozenset((*range(0xE0, 0xF0), 0xFE))  # APPn and comments


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan of one component and everything that its decoder has to know; its data begin at ``start``.

    ``thresholds`` (T1, T2, T3) are those of JPEG-LS; ``predictor`` (1 to 7), ``lengths`` and ``symbols`` (BITS and
    HUFFVAL, filled up with zeros) those of lossless JPEG.
    """

    start: int
    columns: int
    rows: int
    precision: int
    thresholds: tuple[int, int, int] | None = None
    predictor: int = 0
    lengths: bytes = b""
    symbols: bytes = b""


def read_scan(data: memoryview) -> Scan | None:
    """Return the only scan of a JPEG or JPEG-LS stream, None where it is not one for the compiled decoders: another
    process, several components or scans, a point transform, restart intervals, mapping tables, near-lossless."""
    frame, content, start = 0, b"", 2
    tables: dict[int, tuple[bytes, bytes]] = {}
    presets = (0, 0, 0, 0, 0)
    if bytes(data[:2]) != b"\xff\xd8":
        return None
    while True:
        segment = _segment(data, start)
        if segment is None:
            return None
        marker, body = segment
        start += 4 + len(body)
        if marker == _SOS:
            break
        if marker in (_LOSSLESS, _JPEG_LS) and not frame:
            frame, content = marker, body
        elif marker == _DHT:
            if not _read_tables(body, tables):
                return None
        elif marker == _LSE and len(body) == 11 and body[0] == 1:  # 14495-1 C.2.4.1
            presets = struct.unpack_from(">5H", body, 1)
        elif marker not in _IGNORED:
            return None
    if len(content) != 9 or len(body) != 6 or body[0] != 1 or content[5] != 1 or body[1] != content[6]:
        return None
    precision, rows, columns = struct.unpack_from(">BHH", content)
    if not (2 <= precision <= 16 and rows and columns):
        return None
    if frame == _JPEG_LS:
        thresholds = _thresholds(precision, presets)
        if thresholds is None or any(body[2:]):  # mapping table, NEAR, interleave mode, point transform
            return None
        return Scan(start, columns, rows, precision, thresholds=thresholds)
    predictor, table = body[3], tables.get(body[2] >> 4)
    if not 1 <= predictor <= 7 or table is None or any(body[4:]):
        return None
    return Scan(start, columns, rows, precision, predictor=predictor, lengths=table[0], symbols=table[1])


def _segment(data: memoryview, start: int) -> tuple[int, bytes] | None:
    """Return marker and content of the segment at ``start``, None where there is none."""
    if start + 4 > len(data) or data[start] != 0xFF:
        return None
    length = data[start + 2] << 8 | data[start + 3]
    if length < 2 or start + 2 + length > len(data):
        return None
    return data[start + 1], bytes(data[start + 4 : start + 2 + length])


def _read_tables(body: bytes, tables: dict[int, tuple[bytes, bytes]]) -> bool:
    """Take the Huffman tables of a DHT segment (10918-1 B.2.4.2); False where it is not well-formed."""
    while body:
        lengths = body[1:17]
        count = sum(lengths)
        if len(body) < 17 + count or count > 256:
            return False
        tables[body[0]] = lengths, body[17 : 17 + count].ljust(256, b"\0")
        body = body[17 + count :]
    return True


def _thresholds(precision: int, presets: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return T1, T2 and T3, the defaults where they are preset to 0 (14495-1 C.2.4.1.1); None where MAXVAL, RESET or
    their order are others than the compiled decoder knows."""
    maximum = (1 << precision) - 1
    if presets[0] not in (0, maximum) or presets[4] not in (0, 64):
        return None
    if maximum >= 128:
        factor = (min(maximum, 4095) + 128) // 256
        defaults = (factor + 2, factor * 4 + 3, factor * 17 + 4)
    else:
        factor = 256 // (maximum + 1)
        defaults = (max(2, 3 // factor), max(3, 7 // factor), max(4, 21 // factor))
    least, chosen = 1, []
    for preset, default in zip(presets[1:4], defaults, strict=True):
        value = preset or (default if least <= default <= maximum else least)
        if not least <= value <= maximum:
            return None
        chosen.append(value)
        least = value
    t1, t2, t3 = chosen
    return t1, t2, t3
