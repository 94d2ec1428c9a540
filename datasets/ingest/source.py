"""The members of an upload, whether it is a zip or a single image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from django.conf import settings

from datasets.archives import Allocate, ArchiveLimits, Member, Refused, read_members
from datasets.blobs.store import get_store
from datasets.models import Container, IngestBatch, Upload

ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def archive_limits() -> ArchiveLimits:
    """Return the archive limits of this installation."""
    return ArchiveLimits(max_archive_bytes=settings.DEEPCAP_MAX_ZIP_BYTES)


def container_of(upload: Upload) -> Container:
    """Tell a zip from a single image: by content, and by name where the content says nothing."""
    start = get_store().source(upload.storage_key).read_range(0, min(4, upload.size))
    is_zip = start.startswith(ZIP_SIGNATURES) or upload.filename.lower().endswith(".zip")
    return Container.ZIP if is_zip else Container.FILE


def single_member(upload: Upload) -> Member:
    """Describe an upload that is one image as the only member of an archive."""
    name = PurePosixPath(re.sub(r"[\\:\x00-\x1f\x7f]", "_", upload.filename)).name or "image"
    return Member(
        index=0,
        path=name,
        offset=0,
        end=upload.size,
        compressed_size=upload.size,
        size=upload.size,
        crc=0,
        method=0,
        flags=0,
        name_length=0,
    )


def read_batch(
    batch: IngestBatch, *, upload: Upload, container: str, allocate: Allocate
) -> Iterator[tuple[Member, bytes | memoryview | Refused]]:
    """Yield the batch's members one after the other, inflated and checked; a damaged one as its refusal.

    The members of a zip lie where ``allocate`` says.
    """
    members = [Member.from_json(fields) for fields in batch.members]
    if container == Container.FILE:
        yield members[0], get_store().read(upload.storage_key)
    else:
        yield from read_members(get_store().source(upload.storage_key), members, archive_limits(), allocate)
