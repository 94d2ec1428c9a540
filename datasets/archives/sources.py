"""Where an archive's bytes come from: anything that can be read by range."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol


class ByteStream(Protocol):
    """Bytes in order; ``read(n)`` returns up to n bytes, none only at the end."""

    def read(self, size: int, /) -> bytes: ...


class ByteSource(Protocol):
    """An archive at rest: a local file, an object in a bucket. Failures of the storage are raised as they are."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_range(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``; callers stay within ``size``."""
        ...

    def stream_range(self, start: int, end: int) -> AbstractContextManager[ByteStream]:
        """Open one sequential read of the bytes ``start`` to ``end`` (exclusive); callers read no further than ``end``.

        On S3 this is one ranged GET. The reader may leave before the end.
        """
        ...


class FileSource:
    """A local file. Holds no open descriptor between calls, so it can be handed to other threads and processes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.size = self.path.stat().st_size

    def read_range(self, start: int, length: int) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            parts = []
            while length > 0:
                part = file.read(length)
                if not part:
                    raise EOFError(f"{self.path} became shorter while it was read.")
                parts.append(part)
                length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @contextmanager
    def stream_range(self, start: int, end: int) -> Iterator[ByteStream]:
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            yield file
