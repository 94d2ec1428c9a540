"""Zip files made while they are sent (PKWARE APPNOTE.TXT 6.3.10). Pure.

Nothing is sought, and nothing of a member is kept but its line of the directory, in a temporary file once there are
many. Members up to a mebibyte state their sizes up front; longer ones behind their data, in 64 bits.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, NamedTuple

WHOLE = 1024**2
PIECE = 64 * 1024
DIRECTORY_IN_MEMORY = 4 * 1024**2

LOCAL = struct.Struct("<4sHHHHHIIIHH")
CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
DESCRIPTOR_64 = struct.Struct("<4sIQQ")
END_64 = struct.Struct("<4sQHHIIQQQQ")
LOCATOR_64 = struct.Struct("<4sIQI")
END = struct.Struct("<4sHHHHIIH")

SIZES_FOLLOW, UTF_8 = 0x0008, 0x0800
STORED, DEFLATED = 0, 8
VERSION, VERSION_64 = 20, 45
MADE_BY_UNIX = 3 << 8
REGULAR_FILE = 0o100644 << 16
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF


class Member(NamedTuple):
    """A file of a zip; its pieces are taken before the next member is asked for."""

    name: str
    content: Iterable[bytes]
    compress: bool = True


@dataclass
class _Entry:
    name: bytes
    method: int
    offset: int
    flags: int = UTF_8
    crc: int = 0
    size: int = 0
    packed: int = 0


def stream_zip(members: Iterable[Member], *, when: datetime) -> Iterator[bytes]:
    """Yield a zip of ``members``, each dated ``when``, piece by piece. Names are written as given, in UTF-8."""
    stamp = _dos_time(when)
    offset = count = 0
    with tempfile.SpooledTemporaryFile(max_size=DIRECTORY_IN_MEMORY) as directory:
        for member in members:
            entry = _Entry(member.name.encode(), DEFLATED if member.compress else STORED, offset)
            for piece in _entry(entry, member.content, stamp):
                offset += len(piece)
                yield piece
            directory.write(_central(entry, stamp))
            count += 1
        size = directory.tell()
        yield from _rewound(directory)
    yield _end(count, size, offset)


def _entry(entry: _Entry, content: Iterable[bytes], stamp: tuple[int, int]) -> Iterator[bytes]:
    pieces = iter(content)
    start = bytearray()
    for piece in pieces:
        start += piece
        if len(start) > WHOLE:
            yield from _long_entry(entry, bytes(start), pieces, stamp)
            return
    entry.size, entry.crc = len(start), zlib.crc32(start)
    data = bytes(start)
    if entry.method == DEFLATED:
        compressor = _compressor()
        data = compressor.compress(data) + compressor.flush()
    entry.packed = len(data)
    sizes = (entry.crc, entry.packed, entry.size)
    head = LOCAL.pack(b"PK\3\4", VERSION, entry.flags, entry.method, *stamp, *sizes, len(entry.name), 0)
    yield b"".join((head, entry.name, data))


def _long_entry(entry: _Entry, start: bytes, rest: Iterator[bytes], stamp: tuple[int, int]) -> Iterator[bytes]:
    entry.flags |= SIZES_FOLLOW
    extra = struct.pack("<HHQQ", 1, 16, 0, 0)  # 4.5.3: makes the sizes behind the data 64 bits wide
    sizes = (0, MAX_32, MAX_32)
    head = LOCAL.pack(b"PK\3\4", VERSION_64, entry.flags, entry.method, *stamp, *sizes, len(entry.name), len(extra))
    yield b"".join((head, entry.name, extra))
    for piece in _packed(entry, start, rest):
        entry.packed += len(piece)
        yield piece
    yield DESCRIPTOR_64.pack(b"PK\7\x08", entry.crc, entry.packed, entry.size)


def _packed(entry: _Entry, start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the member's data in pieces worth sending; note size and checksum of what it was made of."""
    compressor = _compressor() if entry.method == DEFLATED else None
    waiting = bytearray()
    for piece in _chain(start, rest):
        entry.size += len(piece)
        entry.crc = zlib.crc32(piece, entry.crc)
        waiting += compressor.compress(piece) if compressor else piece
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if compressor:
        waiting += compressor.flush()
    if waiting:
        yield bytes(waiting)


def _chain(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from rest


def _central(entry: _Entry, stamp: tuple[int, int]) -> bytes:
    """Return a member's line of the directory (4.3.12); what does not fit 32 bits goes into the extra field."""
    values = (entry.size, entry.packed, entry.offset)
    large = [value for value in values if value >= MAX_32]
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    size, packed, offset = (min(value, MAX_32) for value in values)
    version = VERSION_64 if large or entry.flags & SIZES_FOLLOW else VERSION
    head = CENTRAL.pack(
        b"PK\1\2",
        MADE_BY_UNIX | version,
        version,
        entry.flags,
        entry.method,
        *stamp,
        entry.crc,
        packed,
        size,
        len(entry.name),
        len(extra),
        0,
        0,
        0,
        REGULAR_FILE,
        offset,
    )
    return head + entry.name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    """Return the end of the directory (4.3.16), with its 64-bit form before it where numbers need it."""
    head = b""
    if count >= MAX_16 or size >= MAX_32 or offset >= MAX_32:
        version = (MADE_BY_UNIX | VERSION_64, VERSION_64)
        head = END_64.pack(b"PK\6\6", END_64.size - 12, *version, 0, 0, count, count, size, offset)
        head += LOCATOR_64.pack(b"PK\6\7", 0, offset + size, 1)
    few = min(count, MAX_16)
    return head + END.pack(b"PK\5\6", 0, 0, few, few, min(size, MAX_32), min(offset, MAX_32), 0)


def _rewound(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


def _compressor() -> zlib._Compress:
    return zlib.compressobj(wbits=-zlib.MAX_WBITS)


def _dos_time(when: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS has them (4.4.6): two seconds exact, from 1980 on."""
    year = min(max(when.year, 1980), 2107)
    return when.hour << 11 | when.minute << 5 | when.second // 2, (year - 1980) << 9 | when.month << 5 | when.day
