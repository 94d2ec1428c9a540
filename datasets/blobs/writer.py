"""How bytes get into the vault: objects first, rows after, and nothing left over whatever happens in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from datasets.archives.sources import ByteStream
from datasets.models import Blob, StorageRemoval, WriteIntent
from datasets.models.blob import ORIGINAL, THUMBNAIL
from deepcap.common.bulk import insert_rows
from deepcap.common.chunks import in_chunks

from .keys import family_of, new_batch_prefix, stem_of
from .store import get_store

DIGESTS_AT_A_TIME = 500
ROUNDS = 10
COLUMNS = ("digest", "size", "stem", "has_thumbnail")


class BlobVanished(Exception):
    """A blob that was counted on is gone, or the intent was taken away: roll back and do the batch again."""


@dataclass(frozen=True)
class Written:
    """A blob whose objects are in the store and whose row is not yet in the table."""

    digest: str
    size: int
    stem: str
    has_thumbnail: bool

    @property
    def keys(self) -> list[str]:
        kinds = (ORIGINAL, THUMBNAIL) if self.has_thumbnail else (ORIGINAL,)
        return [f"{family_of(self.stem)}{kind}" for kind in kinds]

    def row(self) -> tuple[str, int, str, bool]:
        """Return the values of ``COLUMNS``."""
        return (self.digest, self.size, self.stem, self.has_thumbnail)


class BlobWriter:
    """Writes the blobs of one batch under one write intent.

    While the intent's row exists, no row claims an object under its prefix: :meth:`commit` ends the intent and inserts
    the rows in one transaction, the sweep ends it and orders the removal of the prefix in another. Used by one thread.
    """

    def __init__(self, intent: WriteIntent) -> None:
        self._intent = intent
        self._store = get_store()
        self._numbers = count(1)
        self._written: dict[str, Written] = {}
        self._unsynced: list[str] = []
        self._pool: ThreadPoolExecutor | None = None
        self._under_way: deque[Future[None]] = deque()

    @classmethod
    def start(cls, *, expires_at: datetime) -> BlobWriter:
        """Return a writer whose intent is committed: whatever it writes until ``expires_at`` is accounted for."""
        with transaction.atomic(durable=True):
            return cls(WriteIntent.objects.create(prefix=new_batch_prefix(), expires_at=expires_at))

    def extend(self, *, expires_at: datetime) -> None:
        """Go on until ``expires_at``. Raises BlobVanished when the intent has expired and was swept."""
        if not WriteIntent.objects.filter(pk=self._intent.pk).update(expires_at=expires_at):
            raise BlobVanished(f"{self._intent} expired.")
        self._intent.expires_at = expires_at

    def known(self, digests: Iterable[str]) -> dict[str, Blob]:
        """Return the blobs that are in the vault, by digest, touched: the sweep leaves them alone for a while."""
        blobs: dict[str, Blob] = {}
        for chunk in in_chunks(sorted(set(digests)), DIGESTS_AT_A_TIME):
            blobs.update(Blob.objects.in_bulk(chunk, field_name="digest"))
        fresh = timezone.now() - settings.DEEPCAP_BLOB_GRACE / 2
        stale = [digest for digest, blob in blobs.items() if blob.touched_at < fresh]
        for chunk in in_chunks(stale, DIGESTS_AT_A_TIME):
            touched = _touch(chunk)
            for digest in set(chunk) - touched:
                del blobs[digest]
        return blobs

    def write(self, *, digest: str, data: bytes | memoryview, thumbnail: bytes | None) -> None:
        """Write the objects of a blob under a new stem; once per digest.

        On S3 the request may still be under way at return, and its failure is raised by a later call or by
        :meth:`sync`. Raises BlobVanished when the intent has expired.
        """
        if digest in self._written:
            return
        if timezone.now() >= self._intent.expires_at:
            raise BlobVanished(f"{self._intent} expired.")
        stem = stem_of(self._intent.prefix, next(self._numbers))
        written = Written(digest=digest, size=len(data), stem=stem, has_thumbnail=thumbnail is not None)
        for key, content in zip(written.keys, (data, thumbnail), strict=False):
            self._put(key, content)
            self._unsynced.append(key)
        self._written[digest] = written

    def write_stream(self, *, digest: str, stream: ByteStream, size: int) -> None:
        """Write a blob of any size, read from ``stream``, within the memory of one part; once per digest.

        The caller has made sure that the bytes have this digest. The intent is extended as long as it takes. Raises
        SizeMismatch, and BlobVanished when the intent has expired.
        """
        if digest in self._written:
            return
        if timezone.now() >= self._intent.expires_at:
            raise BlobVanished(f"{self._intent} expired.")
        stem = stem_of(self._intent.prefix, next(self._numbers))
        written = Written(digest=digest, size=size, stem=stem, has_thumbnail=False)
        self._written[digest] = written  # also if it fails half-way: what came of it is to be removed
        self._store.put_stream(written.keys[0], _Extending(stream, self), size)

    def sync(self) -> None:
        """What was written survives a power failure from here on. To be called before :meth:`commit`."""
        self._wait(at_most=0)
        if self._pool:
            self._pool.shutdown()
            self._pool = None
        self._store.sync(self._unsynced)
        self._unsynced = []

    def commit(self, digests: Collection[str]) -> dict[str, int]:
        """Return the ids of the blobs ``digests``, which exist until the caller's transaction ends.

        Inserts the rows of what was written, locks every blob that is to be referred to, orders the removal of our own
        objects whose digest somebody else was quicker with, and ends the intent. After a rollback it may be called
        again. Raises BlobVanished when a blob that was known has been swept meanwhile, or the intent has.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("The rows that refer to the blobs belong in one transaction.")
        if self._unsynced:
            raise RuntimeError("Rows come after bytes: call sync() first.")
        if not WriteIntent.objects.filter(pk=self._intent.pk).delete()[0]:
            raise BlobVanished(f"{self._intent} expired.")
        held = self._insert_and_hold(set(digests))
        lost = [blob for blob in self._written.values() if held.get(blob.digest, (0, ""))[1] != blob.stem]
        StorageRemoval.objects.bulk_create(
            StorageRemoval(prefix=family_of(blob.stem), size=blob.size, object_count=len(blob.keys)) for blob in lost
        )
        return {digest: held[digest][0] for digest in digests}

    def abandon(self) -> None:
        """Give up: what was written is removed by the next sweep. Does nothing after a commit.

        Also after the intent was swept, for a request that took long may have arrived behind the sweep.
        """
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        with transaction.atomic():
            ended = WriteIntent.objects.filter(pk=self._intent.pk).delete()[0]
            if ended or (self._written and not self._is_claimed()):
                StorageRemoval.objects.create(prefix=self._intent.prefix)

    def _is_claimed(self) -> bool:
        """Say whether our rows are in the table: a commit whose answer was lost may have come through."""
        stems = [blob.stem for blob in self._written.values()]
        return any(Blob.objects.filter(stem__in=chunk).exists() for chunk in in_chunks(stems, DIGESTS_AT_A_TIME))

    def _insert_and_hold(self, digests: set[str]) -> dict[str, tuple[int, str]]:
        """Return (id, stem) by digest of all of ``digests``, their rows locked against removal."""
        wanted = digests & self._written.keys()
        rows = [self._written[digest].row() for digest in sorted(wanted)]
        for _ in range(ROUNDS):
            # Waits for other inserts and removals of the same digest, in one order for all writers.
            insert_rows(Blob, COLUMNS, rows, ignore_conflicts=True)
            held = hold_blobs(digests)
            gone = digests - held.keys()
            if not gone:
                return held
            if not gone <= wanted:
                break
            rows = [self._written[digest].row() for digest in sorted(gone)]  # the quicker one was swept again
        raise BlobVanished(f"{len(gone)} blobs are gone, the first: {min(gone)}.")

    def _put(self, key: str, content: bytes | memoryview) -> None:
        if not self._store.parallel_puts:
            self._store.put(key, content)
            return
        self._pool = self._pool or ThreadPoolExecutor(self._store.parallel_puts, thread_name_prefix="vault")
        self._wait(at_most=2 * self._store.parallel_puts)  # bounds the bytes that wait in memory
        self._under_way.append(self._pool.submit(self._store.put, key, bytes(content)))

    def _wait(self, *, at_most: int) -> None:
        """Wait until at most so many requests are under way. One that failed stays, so that it fails every sync."""
        while len(self._under_way) > at_most:
            self._under_way[0].result()
            self._under_way.popleft()


class _Extending:
    """A stream that is written to the store, whose intent is extended when a quarter of its time has passed."""

    def __init__(self, stream: ByteStream, writer: BlobWriter) -> None:
        self._stream, self._writer = stream, writer
        self._period = writer._intent.expires_at - timezone.now()

    def read(self, size: int = -1, /) -> bytes:
        now = timezone.now()
        if self._writer._intent.expires_at - now < self._period * 3 / 4:
            self._writer.extend(expires_at=now + self._period)
        return self._stream.read(size)


@transaction.atomic
def _touch(digests: list[str]) -> set[str]:
    """Say of blobs that they are about to be referred to; returns the digests of those that still exist."""
    # Locked in one order, so that two writers of the same blobs wait for each other instead of locking up.
    blobs = Blob.objects.filter(digest__in=digests).order_by("digest").select_for_update(no_key=True)
    found = dict(blobs.values_list("digest", "pk"))
    Blob.objects.filter(pk__in=found.values()).update(touched_at=timezone.now())
    return set(found)


def hold_blobs(digests: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return (id, stem) of the blobs that exist, by digest; until the transaction ends the sweep cannot take them.

    Rows are locked FOR KEY SHARE, which does not keep other writers out. SQLite has one writer at a time anyway.
    """
    held: dict[str, tuple[int, str]] = {}
    for chunk in in_chunks(sorted(digests), DIGESTS_AT_A_TIME):
        found = Blob.objects.filter(digest__in=chunk).order_by("digest").values_list("digest", "pk", "stem")
        if connection.vendor == "postgresql":
            sql, params = found.query.sql_with_params()
            with connection.cursor() as cursor:
                cursor.execute(f"{sql} FOR KEY SHARE", params)
                rows = cursor.fetchall()
        else:
            rows = list(found)
        held.update((digest, (pk, stem)) for digest, pk, stem in rows)
    return held
