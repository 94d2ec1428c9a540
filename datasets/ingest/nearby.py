"""Members of a remote archive that are read again and again: fetched once, run by run, and kept on disk meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from django.conf import settings

from datasets.archives import ByteSource, ByteStream, Member
from datasets.archives.members import contiguous

COPY_BYTES = 1024**2
MAX_EXTRA_BYTES = 0xFFFF  # of a local header


class Nearby:
    """A ``ByteSource`` of the bytes of some members: those that lie together cost one ``stream_range`` together.

    Nothing is fetched before it is asked for. The copies take as much disk as the members are packed, until ``close``.
    """

    def __init__(self, source: ByteSource, members: Sequence[Member]) -> None:
        self._source = source
        runs = list(contiguous(sorted(members, key=lambda member: member.offset)))
        self._starts = [run[0].offset for run in runs]
        self._ends = [min(run[-1].end, run[-1].least_end + MAX_EXTRA_BYTES) for run in runs]
        self._copies: dict[int, IO[bytes]] = {}

    @property
    def size(self) -> int:
        return self._source.size

    def read_range(self, start: int, length: int) -> bytes:
        copy, offset = self._copy_at(start)
        copy.seek(start - offset)
        return copy.read(length)

    @contextmanager
    def stream_range(self, start: int, end: int) -> Iterator[ByteStream]:
        """Open one sequential read; it ends where the run does."""
        copy, offset = self._copy_at(start)
        yield _Part(copy, start - offset)

    def close(self) -> None:
        """Remove the copies."""
        for copy in self._copies.values():
            copy.close()
        self._copies.clear()

    def _copy_at(self, position: int) -> tuple[IO[bytes], int]:
        """Return the copy of the run that holds ``position``, and where in the archive it begins."""
        number = bisect_right(self._starts, position) - 1
        if number not in self._copies:
            self._copies[number] = self._fetched(number)
        return self._copies[number], self._starts[number]

    def _fetched(self, number: int) -> IO[bytes]:
        settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
        copy = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="members-")  # noqa: SIM115 - until close
        with self._source.stream_range(self._starts[number], self._ends[number]) as stream:
            shutil.copyfileobj(stream, copy, COPY_BYTES)  # type: ignore[misc] - it reads, which is all that is asked
        return copy


class _Part:
    """Bytes of a copy from some place on; several may be read in turn."""

    def __init__(self, copy: IO[bytes], position: int) -> None:
        self._copy, self._position = copy, position

    def read(self, size: int, /) -> bytes:
        self._copy.seek(self._position)
        content = self._copy.read(size)
        self._position += len(content)
        return content
