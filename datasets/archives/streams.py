"""Reading one member as a stream: what is larger than one wants to hold is inflated while it is read."""

import io
from contextlib import ExitStack
from typing import BinaryIO, cast

from .directory import LOCAL_HEADER, LOCAL_HEADER_SIGNATURE
from .inflate import DEFLATED, INFLATE_ERRORS, STORED, DamagedError, Deflate, Stored, deflate
from .limits import MIB, ArchiveLimits
from .members import LOCAL_HEADER_BYTES, Member, Refused
from .reader import read_members
from .sources import ByteSource, ByteStream

HELD_BYTES = 16 * MIB  # up to here a member is inflated at once, which is faster
PIECE_BYTES = 256 * 1024


def open_member(source: ByteSource, member: Member, limits: ArchiveLimits) -> BinaryIO:
    """Return the member's content as a stream of exactly its declared size and CRC-32; to be closed.

    Raises DamagedError: at once for a small member, or, while it is read, for one that turns out not to be what the
    archive says. Never inflates more than one piece ahead.
    """
    if member.size <= HELD_BYTES or member.method not in (STORED, DEFLATED):
        [(_, content)] = read_members(source, [member], limits)
        if isinstance(content, Refused):
            raise DamagedError(content.message)
        return io.BytesIO(content)
    stream = io.BufferedReader(_Inflating(source, member), PIECE_BYTES)
    return cast("BinaryIO", stream)


def open_whole(source: ByteSource) -> BinaryIO:
    """Return all of a source's bytes as a stream, to be closed; a small one is held."""
    if source.size <= HELD_BYTES:
        return io.BytesIO(source.read_range(0, source.size))
    return cast("BinaryIO", io.BufferedReader(_Passing(source), PIECE_BYTES))


class _Passing(io.RawIOBase):
    def __init__(self, source: ByteSource) -> None:
        super().__init__()
        self._open = ExitStack()
        self._stream: ByteStream = self._open.enter_context(source.stream_range(0, source.size))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._open.close()
        super().close()


class _Inflating(io.RawIOBase):
    def __init__(self, source: ByteSource, member: Member) -> None:
        super().__init__()
        self._member = member
        self._open = ExitStack()
        self._stream: ByteStream = self._open.enter_context(source.stream_range(member.offset, member.end))
        self._inflater = Stored() if member.method == STORED else Deflate()
        self._packed = member.compressed_size
        self._size = self._crc = 0
        self._ready = memoryview(b"")
        try:
            self._enter()
        except BaseException:
            self._open.close()
            raise

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        while not self._ready and self._more():
            pass
        taken = min(len(view), len(self._ready))
        view[:taken] = self._ready[:taken]
        self._ready = self._ready[taken:]
        return taken

    def close(self) -> None:
        self._open.close()
        super().close()

    def _enter(self) -> None:
        """Step over the local header (APPNOTE 4.3.7)."""
        signature, _, _, method, _, _, _, _, _, name_length, extra_length = LOCAL_HEADER.unpack(
            self._take(LOCAL_HEADER_BYTES)
        )
        if signature != LOCAL_HEADER_SIGNATURE or method != self._member.method:
            raise DamagedError("it is not where the zip file says")
        if self._member.least_end + extra_length > self._member.end or name_length != self._member.name_length:
            raise DamagedError("it reaches into the next file")
        self._take(name_length + extra_length)

    def _take(self, length: int) -> bytes:
        parts = []
        while length > 0:
            part = self._stream.read(length)
            if not part:
                raise EOFError("The archive ended while a member was read.")
            parts.append(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _more(self) -> bool:
        """Inflate the next piece; False at the end, where size and checksum have to fit."""
        packed = b""
        if self._inflater.needs_input:
            if not self._packed or self._inflater.eof:
                if (self._size, self._crc) != (self._member.size, self._member.crc):
                    raise DamagedError("its size or checksum is not what the zip file says")
                return False
            packed = self._take(min(PIECE_BYTES, self._packed))
            self._packed -= len(packed)
        try:
            piece = self._inflater.decompress(packed, 4 * PIECE_BYTES)
        except INFLATE_ERRORS as error:
            raise DamagedError("its compressed data is broken") from error
        self._size += len(piece)
        if self._size > self._member.size:
            raise DamagedError("it is longer than the zip file says")
        self._crc = deflate.crc32(piece, self._crc)
        self._ready = memoryview(piece)
        return True
