"""Where bucket and tables disagree: found while everything goes on, reported, and repaired only if told to.

Both sides are read in the order of keys, side by side, so memory does not grow with them. What looks wrong may merely
have changed between the two readings; it is looked at once more, in the order in which an object's claims follow one
another (intent, blob or upload, ordered removal, gone), and reported only if it fits none of them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Collate, Concat

from datasets.models import Blob, StorageRemoval, Upload, UploadState, VaultCandidate, WriteIntent
from deepcap.common.chunks import in_chunks

from .keys import claims_on, family_of, stem_in
from .store import get_store
from .sweep import referenced

KEYS_AT_A_TIME = 200


class Fault(StrEnum):
    OBJECT_WITHOUT_ROW = "object without row"
    ROW_WITHOUT_OBJECT = "row without object"
    WRONG_SIZE = "object of another size than its row says"


@dataclass(frozen=True)
class Finding:
    """A key where bucket and tables disagree; ``size`` is the object's, or the missing object's if a row tells it."""

    fault: Fault
    key: str
    size: int | None = None
    blob: Blob | None = None

    def __str__(self) -> str:
        return f"{self.fault}: {self.key}" + ("" if self.size is None else f" ({self.size} bytes)")


def reconcile(*, until: float = math.inf) -> Iterator[Finding]:
    """Yield every disagreement between the store and the tables, blobs and uploads.

    At ``until``, on the clock of ``time.monotonic``, no further keys are looked at.
    """
    for chunk in in_chunks(_suspects(until), KEYS_AT_A_TIME):
        yield from _strays(finding for finding in chunk if finding.fault == Fault.OBJECT_WITHOUT_ROW)
        yield from filter(_still_wrong, (finding for finding in chunk if finding.blob))
    yield from _missing_uploads()


def repair(finding: Finding) -> bool:
    """Put right what can be put right without losing what somebody may need; False for the rest.

    A stray object is removed. A blob without its thumbnail is noted to have none. A blob without its bytes is handed to
    the sweep if nothing refers to it; otherwise only a backup helps, or deleting the images and uploading them again.
    """
    blob = finding.blob
    if finding.fault == Fault.OBJECT_WITHOUT_ROW:
        get_store().remove([(finding.key, finding.size or 0)])
        return True
    if blob is None:
        return False
    if finding.key == blob.thumbnail_key:
        Blob.objects.filter(pk=blob.pk).update(has_thumbnail=False)
        return True
    if referenced([blob.pk]):
        return False
    VaultCandidate.objects.create(blob_pk=blob.pk)
    return True


def _suspects(until: float) -> Iterator[Finding]:
    """Walk objects and blobs in the order of keys; an object belongs to the blob whose family its key is of."""
    blobs = _blobs_in_order_of_keys()
    blob = next(blobs, None)
    seen: dict[str, int] = {}
    for key, size in get_store().keys(prefix=""):
        if time.monotonic() >= until:
            return
        while blob is not None and family_of(blob.stem) < key and not key.startswith(family_of(blob.stem)):
            yield from _compare(blob, seen)
            blob, seen = next(blobs, None), {}
        if blob is not None and key.startswith(family_of(blob.stem)):
            seen[key] = size
        else:
            yield Finding(Fault.OBJECT_WITHOUT_ROW, key, size)
    while blob is not None:
        yield from _compare(blob, seen)
        blob, seen = next(blobs, None), {}


def _blobs_in_order_of_keys() -> Iterator[Blob]:
    family = Concat(F("stem"), Value("."))
    order = Collate(family, "C") if connection.vendor == "postgresql" else family
    return Blob.objects.only("stem", "size", "has_thumbnail").order_by(order).iterator()


def _compare(blob: Blob, seen: dict[str, int]) -> Iterator[Finding]:
    if blob.original_key not in seen:
        yield Finding(Fault.ROW_WITHOUT_OBJECT, blob.original_key, blob.size, blob)
    elif seen[blob.original_key] != blob.size:
        yield Finding(Fault.WRONG_SIZE, blob.original_key, seen[blob.original_key], blob)
    if blob.has_thumbnail and blob.thumbnail_key not in seen:
        yield Finding(Fault.ROW_WITHOUT_OBJECT, blob.thumbnail_key, None, blob)


def _strays(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the objects that nothing claims and that are still there."""
    suspects = list(findings)
    claims = {finding.key: set(claims_on(finding.key)) for finding in suspects}
    every = set().union(*claims.values())
    stems = {stem_in(key) for key in claims}
    open_uploads = Upload.objects.exclude(state=UploadState.INGESTED)
    made = {  # evaluated from top to bottom
        *WriteIntent.objects.filter(prefix__in=every).values_list("prefix", flat=True),
        *map(family_of, Blob.objects.filter(stem__in=stems).values_list("stem", flat=True)),
        *open_uploads.filter(storage_key__in=every).values_list("storage_key", flat=True),
        *StorageRemoval.objects.filter(prefix__in=every).values_list("prefix", flat=True),
    }
    for finding in suspects:
        if not claims[finding.key] & made and get_store().exists(finding.key):
            yield finding


def _still_wrong(finding: Finding) -> bool:
    """Look at a blob once more: the object first, for it goes after its row."""
    try:
        size = get_store().size(finding.key)
    except FileNotFoundError:
        size = None
    is_wrong = size == finding.size if finding.fault == Fault.WRONG_SIZE else size is None
    return is_wrong and Blob.objects.filter(pk=finding.blob.pk).exists()


def _missing_uploads() -> Iterator[Finding]:
    waiting = Upload.objects.filter(state=UploadState.COMPLETE)
    for upload in waiting.only("storage_key", "size").iterator():
        if not get_store().exists(upload.storage_key) and waiting.filter(pk=upload.pk).exists():
            yield Finding(Fault.ROW_WITHOUT_OBJECT, upload.storage_key, upload.size)
