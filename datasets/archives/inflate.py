"""Inflating one member within the size it declares (APPNOTE 4.4.5: methods 0, 8, 12 and 14)."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from .limits import MIB
from .members import Member

STORED, DEFLATED, DEFLATED_64, BZIP2, LZMA = 0, 8, 9, 12, 14
METHOD_NAMES = {
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", DEFLATED_64: "Deflate64",
    10: "PKWARE DCL Implode", 18: "IBM TERSE", 19: "IBM LZ77", 20: "Zstandard", 93: "Zstandard", 94: "MP3",
    95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd",
}  # fmt: skip

RAW_DEFLATE = -15
WHOLE_BYTES = 16 * MIB  # up to here compressed bytes are taken at once, beyond it in pieces
ALLOCATED_BYTES = 64 * MIB  # up to here the declared size is allocated at once, without knowing whether it is true
PIECE_BYTES = 1 * MIB
LZMA_HAS_END_MARKER = 0x02
LZMA_PROPERTIES_BYTES = 5


def _fastest_zlib() -> Any:
    """Return ISA-L's zlib where the optional package is installed (the same bytes in half the time), else zlib."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


deflate = _fastest_zlib()
INFLATE_ERRORS = (zlib.error, deflate.error, lzma.LZMAError, OSError, EOFError, ValueError)


@cache
def whole_inflater() -> Any:
    """Return libdeflate's inflater where imagecodecs brings it: half of ISA-L's time, but only for whole streams.

    Loaded at first use: what only looks into archives does without.
    """
    try:
        from imagecodecs import deflate_decode
    except ImportError:
        return None
    return deflate_decode


Take = Callable[[int], bytes]


class Packed(Protocol):
    """A member's compressed bytes, in order; what these raise passes through `inflate`."""

    def take(self, length: int, /) -> bytes: ...

    def fill(self, view: memoryview, /) -> None: ...

    def borrow(self, length: int, /) -> bytes | memoryview:
        """Return like ``take`` what is valid until the next call."""
        ...


class DamagedError(Exception):
    """The member's bytes are not what its declared size, checksum or method promise."""


class Decompressor(Protocol):
    """The shape shared by bz2 and lzma, and by Deflate below."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class Stored:
    """No compression: what goes in comes out, pieces being smaller than any ``max_length`` asked for."""

    eof = False
    needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


class Deflate:
    """zlib's raw inflater, told apart from bz2's and lzma's only by where it keeps input it could not use yet."""

    def __init__(self) -> None:
        self._inflater = deflate.decompressobj(RAW_DEFLATE)
        self._output_pending = False

    @property
    def eof(self) -> bool:
        return bool(self._inflater.eof)

    @property
    def needs_input(self) -> bool:
        return not (self._inflater.unconsumed_tail or self._output_pending)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        output: bytes = self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)
        self._output_pending = len(output) == max_length
        return output


def inflate(member: Member, packed: Packed, into: memoryview | None = None) -> bytes | memoryview:
    """Return the member's content: ``size`` bytes with the declared CRC-32, which are ``into`` if that is given.

    Never inflates more than one byte beyond the declared size. Raises DamagedError.
    """
    if member.method == STORED and member.compressed_size != member.size:
        raise DamagedError("its two sizes differ although it is stored without compression")
    if member.compressed_size > WHOLE_BYTES or member.method not in (STORED, DEFLATED):
        return _placed(_inflate_in_pieces(member, packed.take), into)
    content: bytes | memoryview
    if member.method == DEFLATED:
        content = _inflate_deflated(packed.borrow(member.compressed_size), member.size, into)
    elif into is not None:
        packed.fill(into)
        content = into
    else:
        content = packed.take(member.size)
    _check(member, len(content), deflate.crc32(content))
    return _placed(content, into)


def _placed(content: bytes | memoryview, into: memoryview | None) -> bytes | memoryview:
    """Return the content, moved to where it was asked for if it was made elsewhere."""
    if into is None or isinstance(content, memoryview):
        return content
    into[:] = content
    return into


def _inflate_deflated(packed: bytes | memoryview, size: int, into: memoryview | None) -> bytes | memoryview:
    """Return a raw deflate stream's content, at most one byte more than ``size`` of it. Raises DamagedError."""
    inflate_whole = whole_inflater() if size <= ALLOCATED_BYTES else None
    try:
        if inflate_whole is not None:
            whole: bytes | memoryview = inflate_whole(packed, raw=True, out=size if into is None else into)
            return whole
        content: bytes = deflate.decompressobj(RAW_DEFLATE).decompress(packed, size + 1)
    except (deflate.error, RuntimeError) as error:  # RuntimeError: libdeflate, for content that is too long as well
        raise DamagedError("its compressed data is broken") from error
    return content


def _inflate_in_pieces(member: Member, take: Take) -> bytes:
    """Inflate without holding the compressed bytes: one growing buffer, which becomes the result without a copy."""
    content = io.BytesIO()
    crc = 0
    ceiling = member.size + 1
    remaining = member.compressed_size
    decompressor: Decompressor
    if member.method == STORED:
        decompressor = Stored()
    elif member.method == DEFLATED:
        decompressor = Deflate()
    elif member.method == BZIP2:
        decompressor = bz2.BZ2Decompressor()
    else:
        header = take(min(4, remaining))
        properties_length = int.from_bytes(header[2:4], "little")
        if properties_length != LZMA_PROPERTIES_BYTES or remaining < 4 + LZMA_PROPERTIES_BYTES:
            raise DamagedError("its LZMA header is broken")
        decompressor = _open_lzma(take(LZMA_PROPERTIES_BYTES), member.size)
        remaining -= 4 + LZMA_PROPERTIES_BYTES
        if not member.flags & LZMA_HAS_END_MARKER:
            ceiling = member.size  # without the marker, flushed bits beyond the end decode to noise
    while content.tell() < ceiling and not decompressor.eof:
        piece = b""
        if decompressor.needs_input:
            if not remaining:
                break
            piece = take(min(PIECE_BYTES, remaining))
            remaining -= len(piece)
        try:
            chunk = decompressor.decompress(piece, min(WHOLE_BYTES, ceiling - content.tell()))
        except INFLATE_ERRORS as error:
            raise DamagedError("its compressed data is broken") from error
        content.write(chunk)
        crc = deflate.crc32(chunk, crc)
    _check(member, content.tell(), crc)
    return content.getvalue()


def _open_lzma(properties: bytes, size: int) -> lzma.LZMADecompressor:
    """Open a raw LZMA1 stream (APPNOTE 5.8.8); the dictionary never exceeds the content it could refer to."""
    packed = properties[0]
    if packed >= 9 * 5 * 5:
        raise DamagedError("its LZMA header is broken")
    dictionary = int.from_bytes(properties[1:5], "little")
    filters = [
        {
            "id": lzma.FILTER_LZMA1,
            "lc": packed % 9,
            "lp": packed // 9 % 5,
            "pb": packed // 45,
            "dict_size": max(4096, min(dictionary, size)),
        }
    ]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError) as error:
        raise DamagedError("its LZMA header is broken") from error


def _check(member: Member, size: int, crc: int) -> None:
    if size != member.size:
        raise DamagedError("its content is longer or shorter than the zip file says")
    if crc != member.crc:
        raise DamagedError("its checksum (CRC-32) does not fit")
