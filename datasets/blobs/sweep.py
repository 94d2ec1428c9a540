"""How bytes leave the vault: the row first, by a transaction that also orders the removal of its objects; then those.

The sweep runs all the time beside writers and beside other sweeps. What keeps them apart are row locks alone: a writer
locks the blobs it refers to, the sweep takes only blobs that nobody has locked and looks at references after that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from datasets.models import Blob, Deletion, StorageRemoval, VaultCandidate, WriteIntent
from deepcap.common.bulk import insert_rows
from deepcap.common.sql import by_index

from .keys import family_of
from .store import STORAGE_FAULTS, get_store

LATE_WRITES = timedelta(minutes=2)  # a request sent just before the intent expired may still arrive
ROUNDS = 20
FEWER_TOGETHER = 4  # failures, each of which makes it a tenth


@dataclass(frozen=True)
class Swept:
    """What one sweep has dealt with: expired intents, candidates, and prefixes whose objects are gone."""

    intents: int
    candidates: int
    removals: int

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def sweep() -> Swept:
    """Clear up behind dead writers, let go of what nothing refers to, remove objects; bounded, the next one goes on."""
    return Swept(
        intents=_repeat(clear_expired_intents),
        candidates=_repeat(settle_candidates),
        removals=_repeat(drain_removals),
    )


def foreign_keys_into_blobs() -> Iterator[models.ForeignKey]:
    """Yield every foreign key of any model that refers to a blob."""
    for relation in Blob._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one):
            yield relation.field


def referenced(blob_ids: Collection[int]) -> set[int]:
    """Return those of ``blob_ids`` that some row refers to: asked of the tables, never of a counter."""
    found: set[int] = set()
    for key in foreign_keys_into_blobs():  # one by one: an OR of them all makes PostgreSQL read whole tables
        rows = key.model._base_manager.filter(**{f"{key.attname}__in": blob_ids}).order_by()
        found.update(rows.values_list(key.attname, flat=True).distinct())
    return found


def settle_candidates(*, deletion_id: int | None = None, limit: int = 1000) -> int:
    """Decide about up to ``limit`` candidates, of one deletion or of all; returns how many were decided.

    A blob that nothing refers to loses its row, and the removal of its objects is ordered. A blob that is referred to
    stays. A candidate whose blob was touched within ``DEEPCAP_BLOB_GRACE``, or is locked by a writer, waits.
    """
    return settle_page(deletion_id=deletion_id, limit=limit).decided


class Page(NamedTuple):
    """How many candidates were ``found``, and ``decided``; ``last`` is where the next page begins."""

    found: int
    decided: int
    last: int


def settle_page(*, deletion_id: int | None = None, limit: int = 1000, after: int = 0) -> Page:
    """Do as :func:`settle_candidates` does, with candidates whose keys come after ``after``.

    Who begins where the last page ended does not pass again over all the rows that are gone.
    """
    with transaction.atomic(durable=True), by_index():
        return _settle_page(deletion_id, limit, after)


def _settle_page(deletion_id: int | None, limit: int, after: int) -> Page:
    untouched = timezone.now() - settings.DEEPCAP_BLOB_GRACE
    # Looked up blob by blob: as NOT EXISTS, PostgreSQL reads the whole table of blobs to find those few it can join.
    touched_at = Subquery(Blob.objects.filter(pk=OuterRef("blob_pk")).values("touched_at"))
    due = VaultCandidate.objects.alias(touched_at=Coalesce(touched_at, untouched)).filter(touched_at__lte=untouched)
    if deletion_id is not None:
        due = due.filter(deletion=deletion_id)
    due = due.filter(pk__gt=after).order_by("pk").select_for_update(skip_locked=True)
    candidates = list(due.values_list("pk", "blob_pk", "deletion_id")[:limit])
    if not candidates:
        return Page(0, 0, after)

    blob_ids = {blob_id for _pk, blob_id, _deletion in candidates}
    takeable = Blob.objects.filter(pk__in=blob_ids, touched_at__lte=untouched).select_for_update(skip_locked=True)
    free = {row[0]: row for row in takeable.values_list("pk", "stem", "size", "has_thumbnail")}
    locked = set(Blob.objects.filter(pk__in=blob_ids - free.keys()).values_list("pk", flat=True))
    unreferenced = free.keys() - referenced(free)  # asked after locking: nobody can refer to them any more

    deletion_of = {blob_id: deletion for _pk, blob_id, deletion in reversed(candidates)}
    removals = (free[pk] for pk in sorted(unreferenced))
    insert_rows(
        StorageRemoval,
        ("prefix", "size", "object_count", "deletion"),
        [(family_of(stem), size, 1 + thumbnail, deletion_of[pk]) for pk, stem, size, thumbnail in removals],
    )
    Blob.objects.filter(pk__in=unreferenced)._raw_delete(Blob.objects.db)  # referred to by none, as was just asked
    decided = [pk for pk, blob_id, _deletion in candidates if blob_id not in locked]
    VaultCandidate.objects.filter(pk__in=decided)._raw_delete(VaultCandidate.objects.db)
    return Page(len(candidates), len(decided), candidates[-1][0])


def drain_removals(*, deletion_id: int | None = None, limit: int = 1000) -> int:
    """Remove the objects of up to ``limit`` ordered removals, of one deletion or of all; returns how many are done.

    Objects go before the rows that order it, so a death in between repeats what is harmless. Receipts count what was
    ordered, hence exactly once. When the storage fails, the removals stay, step back in the queue, and it is raised;
    next time a tenth of as many are tried together, so that one that cannot be removed ends up alone.
    """
    ordered = StorageRemoval.objects.order_by("attempts", "pk")
    if deletion_id is not None:
        ordered = ordered.filter(deletion=deletion_id)
    found = list(ordered.values_list("pk", "prefix", "attempts")[:limit])
    if not found:
        return 0
    attempts = found[0][2]
    together = max(1, limit // 10 ** min(attempts, FEWER_TOGETHER))
    prefixes = {pk: prefix for pk, prefix, tried in found[:together] if tried == attempts}
    try:
        get_store().remove_prefixes(list(prefixes.values()))
    except STORAGE_FAULTS:
        StorageRemoval.objects.filter(pk__in=prefixes).update(attempts=F("attempts") + 1)
        raise
    return _count_as_removed(list(prefixes))


@transaction.atomic(durable=True)
def clear_expired_intents(limit: int = 100) -> int:
    """End up to ``limit`` intents that have expired, ordering the removal of all under their prefix; returns how many.

    No row claims any of it: a writer that ends its own intent inserts its rows in the same transaction.
    """
    expired = WriteIntent.objects.filter(expires_at__lt=timezone.now() - LATE_WRITES).order_by("expires_at")
    intents = list(expired.select_for_update(skip_locked=True)[:limit])
    StorageRemoval.objects.bulk_create(StorageRemoval(prefix=intent.prefix) for intent in intents)
    WriteIntent.objects.filter(pk__in=[intent.pk for intent in intents]).delete()
    return len(intents)


@transaction.atomic(durable=True)
def _count_as_removed(removal_ids: list[int]) -> int:
    removals = StorageRemoval.objects.filter(pk__in=removal_ids).order_by("pk").select_for_update(skip_locked=True)
    done = list(removals.values_list("pk", "deletion_id", "object_count", "size"))
    objects: dict[int, int] = defaultdict(int)
    size: dict[int, int] = defaultdict(int)
    for _pk, deletion_id, object_count, byte_count in done:
        if deletion_id is not None:
            objects[deletion_id] += object_count
            size[deletion_id] += byte_count
    for deletion_id in sorted(objects):
        Deletion.objects.filter(pk=deletion_id).update(
            objects_removed=F("objects_removed") + objects[deletion_id],
            bytes_removed=F("bytes_removed") + size[deletion_id],
        )
    StorageRemoval.objects.filter(pk__in=[pk for pk, *_ in done])._raw_delete(StorageRemoval.objects.db)
    return len(done)


def _repeat(step: Callable[[], int]) -> int:
    """Take ``step`` until it finds nothing more, but no more than ROUNDS times; returns the sum."""
    total = 0
    for _ in range(ROUNDS):
        done = step()
        total += done
        if not done:
            break
    return total
