"""Label files into the vault: one blob an import, a zip of the files that belong together, or the one that was sent."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone

from annotations.formats.base import SideFile
from datasets.blobs.writer import BlobWriter
from deepcap.common.leases import Heartbeat

COPY_BYTES = 1024**2
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files always make the same bytes
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes that are in the store; the transaction that commits the writer makes them a blob."""

    digest: str
    size: int


@contextmanager
def spooled() -> Iterator[BinaryIO]:
    """Give an empty temporary file on disk."""
    settings.FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="labels-") as file:
        yield file


def store_files(files: Sequence[SideFile], *, writer: BlobWriter, beat: Callable[[], None]) -> Stored:
    """Write ``files`` as one zip, whose members have their paths. Raises what opening and reading a file raises."""
    often = Heartbeat(beat)
    with spooled() as spool:
        with zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                often()
                info = zipfile.ZipInfo(file.path, LONG_AGO)
                info.compress_type = zipfile.ZIP_DEFLATED
                large = file.size >= zipfile.ZIP64_LIMIT
                with file.open() as stream, archive.open(info, "w", force_zip64=large) as member:
                    while piece := stream.read(COPY_BYTES):
                        member.write(piece)
                        often()
        beat()
        return store_stream(spool, writer=writer)


def store_stream(stream: BinaryIO, *, writer: BlobWriter) -> Stored:
    """Write the whole of a seekable stream, unless the vault holds its bytes already."""
    stream.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(COPY_BYTES):
        digest.update(piece)
        size += len(piece)
    stored = Stored(digest.hexdigest(), size)
    if stored.digest not in writer.known([stored.digest]):
        writer.extend(expires_at=timezone.now() + LEASE)
        stream.seek(0)
        writer.write_stream(digest=stored.digest, stream=stream, size=size)
    return stored


@contextmanager
def writing() -> Iterator[BlobWriter]:
    """Give a writer; what it wrote and nobody has committed when the block ends goes."""
    writer = BlobWriter.start(expires_at=timezone.now() + LEASE)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise
