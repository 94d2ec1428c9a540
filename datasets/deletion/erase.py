"""Rows go, in many short transactions; each also keeps the account of what went and of what is to follow it."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import Value

from datasets import hooks
from datasets.blobs.store import get_store
from datasets.blobs.sweep import foreign_keys_into_blobs
from datasets.models import Deletion, StorageRemoval, Upload, UploadState, VaultCandidate
from deepcap.common import cascade
from deepcap.common.pace import Breath
from deepcap.common.sql import without_waiting_for_disk

from .kinds import key_of


class TurnOver(Exception):
    """Others wait for this worker: the work is handed back and goes on with the next turn."""


def erase(deletion: Deletion, *, until: float) -> None:
    """Erase the target of a claimed deletion and everything that hangs under it.

    Raises TurnOver when the clock (``time.monotonic``) passes ``until``, and LeaseLost when somebody else has claimed
    the deletion: nothing is written then that is not also counted.
    """
    target = apps.get_model(deletion.target_type)(pk=deletion.target_id)
    cascade.erase(target, witness=_Account(deletion, until=until))


class _Account(cascade.Witness):
    """Counts the rows into the deletion, holds its lease, and orders the removal of bytes only the rows know of."""

    def __init__(self, deletion: Deletion, *, until: float) -> None:
        self.deletion, self.until, self.breath = deletion, until, Breath()
        self.blob_keys: dict[cascade.Table, list[models.ForeignKey]] = {}
        for key in foreign_keys_into_blobs():
            self.blob_keys.setdefault(key.model, []).append(key)

    def before(self, table: cascade.Table, pks: list[Any]) -> None:
        if time.monotonic() >= self.until:
            raise TurnOver
        self.breath.take()
        if table is Upload:
            _abort_uploads(pks)

    def going(self, table: cascade.Table, pks: list[Any]) -> None:
        self.breath.begin()
        without_waiting_for_disk()
        for key in self.blob_keys.get(table, ()):
            _note_candidates(key, pks, deletion_id=self.deletion.pk)
        if table is Upload:
            _order_removal(pks, deletion_id=self.deletion.pk)
        if table._meta.label in hooks.letting_go:
            hooks.letting_go[table._meta.label](pks, deletion_id=self.deletion.pk)

    def gone(self, table: cascade.Table, count: int) -> None:
        # The deletion's row is written last: it is locked for the blink of an eye, and a lost lease undoes the batch.
        counts = Counter(self.deletion.counts)
        counts[key_of(table)] += count
        self.deletion.extend_lease(counts={key: number for key, number in counts.items() if number})
        self.deletion.counts = dict(counts)


def _note_candidates(key: models.ForeignKey, pks: list[Any], *, deletion_id: int) -> None:
    """Have the vault look at every blob the rows refer to, once they do not any more."""
    rows = key.model._base_manager.filter(pk__in=pks).exclude(**{key.attname: None})
    blobs = rows.order_by().values_list(key.attname, Value(deletion_id)).distinct()
    select, parameters = blobs.query.sql_with_params()
    table, columns = VaultCandidate._meta.db_table, ("blob_pk", "deletion_id")
    names = [connection.ops.quote_name(name) for name in (table, *columns)]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {names[0]} ({', '.join(names[1:])}) {select}", parameters)


def _abort_uploads(pks: list[int]) -> None:
    """Forget the parts of unfinished uploads. Doing it again does nothing."""
    unfinished = Upload.objects.filter(pk__in=pks, state=UploadState.OPEN).exclude(multipart_id="")
    for key, multipart_id in unfinished.values_list("storage_key", "multipart_id"):
        get_store().abort_multipart(key, multipart_id)


def _order_removal(pks: list[int], *, deletion_id: int) -> None:
    """The uploaded file goes too. One that is not complete may still have left something under its key."""
    StorageRemoval.objects.bulk_create(
        StorageRemoval(
            prefix=upload.storage_key,
            size=upload.size if upload.state == UploadState.COMPLETE else 0,
            object_count=int(upload.state == UploadState.COMPLETE),
            deletion_id=deletion_id,
        )
        for upload in Upload.objects.filter(pk__in=pks)
    )
