"""Reading members: one sequential pass over the bytes between the first and the last of them."""

from collections.abc import Callable, Iterator, Sequence

from .directory import LOCAL_HEADER, LOCAL_HEADER_SIGNATURE
from .inflate import ALLOCATED_BYTES, DamagedError, inflate
from .limits import KIB, ArchiveLimits
from .members import LOCAL_HEADER_BYTES, Member, Refused, contiguous
from .paths import NESTED, is_archive, is_packed_volume
from .sources import ByteSource, ByteStream

READ_AHEAD_BYTES = 64 * KIB
MAX_EXTRA_BYTES = 0xFFFF

Allocate = Callable[[Member], memoryview | None]
"""Gives memory for a member's content, exactly its size, or None."""


def allocate_nothing(member: Member) -> None:
    """Give no memory: content comes as bytes."""


def read_members(
    source: ByteSource, members: Sequence[Member], limits: ArchiveLimits, allocate: Allocate = allocate_nothing
) -> Iterator[tuple[Member, bytes | memoryview | Refused]]:
    """Yield each member with its content, or with the reason why it has none, in the order given.

    Members that follow each other in the archive cost one ``stream_range`` together. Content has the declared size
    and CRC-32; a member that has not is refused as ``member_damaged``, an archive in disguise as ``nested_archive``,
    and the next one is read. At most one member's content is held at a time, and of a large one's compressed bytes
    only a piece. Content of up to ``ALLOCATED_BYTES`` is put where ``allocate`` says, if it does. Failures of the
    source are raised as they are; EOFError if it ends before a member does.
    """
    for run in contiguous(members):
        last = run[-1]
        end = min(last.end, last.least_end + MAX_EXTRA_BYTES)
        with source.stream_range(run[0].offset, end) as stream:
            cursor = _Cursor(stream, run[0].offset, end)
            for member in run:
                yield member, _read(cursor, member, limits, allocate)


def _read(cursor: "_Cursor", member: Member, limits: ArchiveLimits, allocate: Allocate) -> bytes | memoryview | Refused:
    if member.size > limits.max_member_bytes:
        return too_large(member.path, limits)
    try:
        cursor.skip_to(member.offset)
        _enter(cursor, member)
        into = allocate(member) if 0 < member.size <= ALLOCATED_BYTES else None
        content = inflate(member, cursor, into)
    except DamagedError as error:
        return Refused(member.path, "rejected", "member_damaged", f"The file is damaged inside the zip file: {error}.")
    if is_archive(content) and not is_packed_volume(member.path):
        return Refused(member.path, *NESTED)
    return content


def too_large(path: str, limits: ArchiveLimits) -> Refused:
    """Return the refusal of a member whose declared size exceeds what fits in memory."""
    return Refused(
        path, "rejected", "member_too_large", f"The file is larger than {limits.max_member_bytes} bytes when unpacked."
    )


def _enter(cursor: "_Cursor", member: Member) -> None:
    """Step over the local header, which must agree with the central directory on what matters here (APPNOTE 4.3.7)."""
    if member.least_end > member.end:
        raise DamagedError("it reaches into the next file")
    signature, _, _, method, _, _, _, _, _, name_length, extra_length = LOCAL_HEADER.unpack(
        cursor.take(LOCAL_HEADER_BYTES)
    )
    if signature != LOCAL_HEADER_SIGNATURE:
        raise DamagedError("it is not where the zip file says")
    if method != member.method or name_length != member.name_length:
        raise DamagedError("its header contradicts the table of contents")
    if member.least_end + extra_length > member.end:
        raise DamagedError("it reaches into the next file")
    cursor.skip_to(member.offset + LOCAL_HEADER_BYTES + name_length + extra_length)


class _Cursor:
    """A stream with a position in the source and a small read-ahead, so that headers cost no read of their own."""

    def __init__(self, stream: ByteStream, position: int, end: int) -> None:
        self._stream = stream
        self._end = end
        self._fetched = position
        self._ahead = b""
        self._used = 0
        self._scratch = memoryview(bytearray())

    @property
    def position(self) -> int:
        return self._fetched - len(self._ahead) + self._used

    def skip_to(self, position: int) -> None:
        """Move forward; the bytes between are read and dropped. Raises DamagedError backwards."""
        distance = position - self.position
        if distance < 0:
            raise DamagedError("it overlaps the file before it")
        while distance > 0:
            step = min(distance, READ_AHEAD_BYTES)
            self.take(step)
            distance -= step

    def take(self, length: int) -> bytes:
        """Return exactly the next ``length`` bytes; EOFError if the source ends first."""
        held = len(self._ahead) - self._used
        if length <= held:
            self._used += length
            return self._ahead[self._used - length : self._used]
        parts = [self._ahead[self._used :]] if held else []
        missing = length - held
        self._ahead, self._used = b"", 0
        while missing > 0:
            wanted = max(missing, min(READ_AHEAD_BYTES, self._end - self._fetched))
            part = self._stream.read(wanted)
            if not part:
                raise EOFError(f"The archive ended at byte {self._fetched} while a member was read.")
            self._fetched += len(part)
            if len(part) > missing:
                self._ahead, self._used = part, missing
                part = part[:missing]
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def borrow(self, length: int) -> memoryview:
        """Return the next ``length`` bytes, valid until the next call."""
        if length > len(self._scratch):
            self._scratch = memoryview(bytearray(length))
        self.fill(self._scratch[:length])
        return self._scratch[:length]

    def fill(self, view: memoryview) -> None:
        """Put the next bytes into all of the view; EOFError if the source ends first."""
        held = min(len(view), len(self._ahead) - self._used)
        view[:held] = self._ahead[self._used : self._used + held]
        self._used += held
        read_into = getattr(self._stream, "readinto", None)
        while held < len(view):
            if read_into is None or len(view) - held < READ_AHEAD_BYTES:
                view[held:] = self.take(len(view) - held)
                return
            length = read_into(view[held:])
            if not length:
                raise EOFError(f"The archive ended at byte {self._fetched} while a member was read.")
            self._fetched += length
            held += length
