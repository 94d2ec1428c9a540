"""Label files on their way into the vault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.errors import LabelsRefused
from annotations.importing.bundles import COPY_BYTES, Stored, spooled, store_stream, writing
from annotations.models import AnnotationData
from datasets.archives.sources import ByteStream
from datasets.blobs.writer import BlobVanished, BlobWriter
from deepcap.common import formatting

FILENAME_LENGTH = 1024
ROUNDS = 3
Keep = Callable[[int], AnnotationData]


def clean_filename(filename: str) -> str:
    """Return the last part of a file's name, printable."""
    base = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in base if character.isprintable())[-FILENAME_LENGTH:] or "labels"


def with_stored(file: ByteStream, keep: Keep) -> AnnotationData:
    """Write the file into the vault, and in one transaction its blob and what ``keep`` makes of the blob's id."""
    with ExitStack() as open_files:
        stream = _seekable(file, open_files)
        for attempt in range(ROUNDS):
            try:
                with writing() as writer:
                    return _keep_stored(writer, _stored(stream, writer), keep)
            except BlobVanished:
                if attempt == ROUNDS - 1:
                    raise
    raise AssertionError("every round returns or raises")


@transaction.atomic
def _keep_stored(writer: BlobWriter, stored: Stored, keep: Keep) -> AnnotationData:
    return keep(writer.commit([stored.digest])[stored.digest])


def _stored(stream: BinaryIO, writer: BlobWriter) -> Stored:
    stream.seek(0, 2)
    size = stream.tell()
    if not size:
        raise LabelsRefused(_("The file is empty."), code="file_empty")
    if size > settings.DEEPCAP_MAX_ZIP_BYTES:
        message = _("The file has %(size)s; at most %(most)s are accepted.") % {
            "size": formatting.size(size),
            "most": formatting.size(settings.DEEPCAP_MAX_ZIP_BYTES),
        }
        raise LabelsRefused(message, code="label_file_too_large", status=413)
    return store_stream(stream, writer=writer)


def _seekable(file: Any, open_files: ExitStack) -> BinaryIO:
    """Return the stream itself if one can go back in it, else a copy on disk."""
    if getattr(file, "seekable", lambda: False)():
        return file
    spool = open_files.enter_context(spooled())
    shutil.copyfileobj(file, spool, COPY_BYTES)
    return spool
