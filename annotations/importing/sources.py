"""The files of an import: what lies in the vault, a single file or a zip, opened for the readers of formats."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from django.conf import settings
from django.utils.translation import gettext as _

from annotations.formats.base import LabelError
from datasets.archives import (
    ArchiveLimits,
    ByteSource,
    DamagedError,
    FileSource,
    Member,
    Refused,
    open_member,
    read_index,
)
from datasets.blobs.store import get_store
from datasets.models import Blob

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
COPY_BYTES = 1024**2
LIMITS = ArchiveLimits(max_member_ratio=1100, max_total_ratio=1100)  # label files shrink as far as DEFLATE can


class Meter:
    """Counts the bytes that have been read of a set of files; ``beat`` is called with every piece of them."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self.done, self.beat = 0, beat

    def counting(self, stream: BinaryIO) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_Counting(stream, self), COPY_BYTES))


class _Counting(io.RawIOBase):
    def __init__(self, stream: BinaryIO, meter: Meter) -> None:
        super().__init__()
        self._stream, self._meter = stream, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = cast("bytearray", buffer)
        try:
            taken = self._stream.readinto(view) or 0  # type: ignore[attr-defined]
        except DamagedError as error:
            raise _damaged(error) from error
        self._meter.done += taken
        self._meter.beat()
        return taken

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A label file inside a zip."""

    source: ByteSource
    member: Member
    meter: Meter

    @property
    def path(self) -> str:
        return self.member.path

    @property
    def size(self) -> int:
        return self.member.size

    def open(self) -> BinaryIO:
        """Return its content. Raises LabelError where the zip is damaged, also while it is read."""
        try:
            return self.meter.counting(open_member(self.source, self.member, LIMITS))
        except DamagedError as error:
            raise _damaged(error) from error


def _damaged(error: DamagedError) -> LabelError:
    return LabelError(_("The file is damaged: %(why)s.") % {"why": str(error).rstrip(".")}, code="label_file_damaged")


@dataclass(frozen=True, slots=True)
class SingleFile:
    """A label file that was uploaded as it is."""

    source: FileSource
    path: str
    meter: Meter

    @property
    def size(self) -> int:
        return self.source.size

    def open(self) -> BinaryIO:
        return self.meter.counting(self.source.path.open("rb"))


@dataclass(slots=True)
class Files:
    """What an import has to read: its files, and what of its zip was refused."""

    files: list[MemberFile | SingleFile]
    refused: list[Refused]
    meter: Meter


@contextmanager
def opened(blob: Blob, filename: str, *, beat: Callable[[], None]) -> Iterator[Files]:
    """Open the files of a blob while the block lasts; ``beat`` is called often while they are fetched and read.

    Raises ArchiveError for a zip that is refused as a whole.
    """
    with _local(blob, beat) as source:
        meter = Meter(beat)
        if source.read_range(0, min(4, source.size)).startswith(ZIP_SIGNATURES):
            index = read_index(source, LIMITS)
            members = sorted(index.members, key=lambda member: member.path)
            yield Files([MemberFile(source, member, meter) for member in members], index.refused, meter)
        else:
            name = PurePosixPath(filename.replace("\\", "/")).name or "labels"
            yield Files([SingleFile(source, name, meter)], [], meter)


@contextmanager
def _local(blob: Blob, beat: Callable[[], None]) -> Iterator[FileSource]:
    """Give the blob as a file: its own where the vault is a folder, else a copy, since it is not read in order."""
    path = get_store().local_path(blob.original_key)
    if path is not None:
        yield FileSource(path)
        return
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as copy:  # has no name: a killed worker leaves none
        with get_store().open(blob.original_key) as stream:
            while piece := stream.read(COPY_BYTES):
                copy.write(piece)
                beat()
        copy.flush()
        yield FileSource(f"/proc/self/fd/{copy.fileno()}")
