"""Files that services hand in: a model, predictions, results of a project. They lie in the vault like all others."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.blobs.writer import BlobVanished, BlobWriter
from datasets.errors import ValueRefused
from datasets.models import VaultCandidate
from deepcap.accounts.models import User
from usage.models import ServiceWork, TrainingTask

from .work import hold_for_report

SLICE = 1024 * 1024
TIME_TO_WRITE = timedelta(hours=2)
ROUNDS = 3


def store_model(
    *, training_task: TrainingTask, by: User, claim: str | None, file: BinaryIO, filename: str
) -> TrainingTask:
    """Keep the trained model of a task that is under way; another one replaces it. Raises ClaimLost, WorkEnded."""
    _store(training_task, "model", by=by, claim=claim, file=file, model_filename=clean_filename(filename))
    return training_task


def store_results(
    *, row: ServiceWork, by: User, claim: str | None, file: BinaryIO, filename: str, file_format: str, **values: str
) -> ServiceWork:
    """Keep the predictions of an inference job, or the results of a project, in a format of label files.

    Raises ClaimLost, and WorkEnded.
    """
    field = "predictions" if hasattr(row, "predictions") else "results"
    named = {f"{field}_filename": clean_filename(filename), f"{field}_format": file_format}
    _store(row, field, by=by, claim=claim, file=file, **named, **values)
    return row


def clean_filename(filename: str) -> str:
    """Return the last part of a path, printable. Raises ValueRefused when nothing is left."""
    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in base if character.isprintable()).strip()[-300:]
    if not name:
        raise ValueRefused("file", _("The file needs a name."), code="filename_invalid")
    return name


def _store(row: ServiceWork, field: str, *, by: User, claim: str | None, file: BinaryIO, **values: str) -> None:
    """Bytes first, the row after; what it referred to before is left to the sweep of the vault."""
    digest, size = _measure(file)
    for attempt in range(ROUNDS):
        writer = BlobWriter.start(expires_at=timezone.now() + TIME_TO_WRITE)
        try:
            if digest not in writer.known([digest]):
                file.seek(0)
                writer.write_stream(digest=digest, stream=file, size=size)
            writer.sync()
            with transaction.atomic():
                hold_for_report(row, by=by, claim=claim)
                ids = writer.commit([digest])
                before = type(row).objects.values_list(f"{field}_id", flat=True).get(pk=row.pk)
                type(row).objects.filter(pk=row.pk).update(**{f"{field}_id": ids[digest]}, **values)
                if before not in (None, ids[digest]):
                    VaultCandidate.objects.create(blob_pk=before)
            break
        except BlobVanished:
            writer.abandon()
            if attempt == ROUNDS - 1:
                raise
        except BaseException:
            writer.abandon()
            raise
    row.refresh_from_db()


def _measure(file: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while data := file.read(SLICE):
        digest.update(data)
        size += len(data)
    if not size:
        raise ValueRefused("file", _("The file is empty."), code="file_empty")
    return digest.hexdigest(), size
