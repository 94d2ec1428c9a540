"""Second stage: one batch of members becomes blobs and images, all of them in one transaction or none.

Bytes are written first, under a write intent; the transaction that inserts the images also inserts the blobs, ends the
intent, counts, and gives up the lease. A worker that dies before it leaves nothing but objects under an expired intent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.archives import Member, Refused
from datasets.blobs.writer import BlobWriter
from datasets.models import Image, Ingest, IngestBatch, IngestStage, Outcome, Problem, Series, Study
from deepcap.common.bulk import insert_rows
from deepcap.common.leases import OPEN_STATES, LeaseLost, WorkState

from .examine import (
    Accepted,
    allocate,
    clean,
    examine_all,
    forgive_side_file,
    image_fields,
    integer,
    sandbox,
    study_key,
)
from .index import problems
from .patients import patient_key
from .source import read_batch
from .unfold import unfold

BYTES_IN_HAND = 16 * 1024**2
MEMBERS_IN_HAND = 50
BYTES_PER_SECOND = 4 * 1024**2  # slowest storage that a lease is made for


@dataclass
class Reading:
    """What a batch has come to so far."""

    accepted: list[Accepted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    in_hand: list[tuple[str, bytes | memoryview]] = field(default_factory=list)
    bytes_in_hand: int = 0

    def take(self, path: str, data: bytes | memoryview) -> None:
        """Keep a file's bytes until they are examined and written."""
        self.in_hand.append((path, data))
        self.bytes_in_hand += len(data)

    @property
    def hands_full(self) -> bool:
        return self.bytes_in_hand >= BYTES_IN_HAND or len(self.in_hand) >= MEMBERS_IN_HAND


def lease_for(batch: IngestBatch) -> timedelta:
    """Return a lease that outlasts the slowest single step: one decoder time-out, or its largest member's transfer."""
    largest = max((Member.from_json(fields).size for fields in batch.members), default=0)
    slowest = settings.DEEPCAP_DECODER_SECONDS if batch.byte_count > BYTES_IN_HAND else 0
    return settings.DEEPCAP_LEASE + timedelta(seconds=slowest + largest / BYTES_PER_SECOND)


def read(batch: IngestBatch) -> None:
    """Ingest a claimed batch; the last one opens the next stage.

    Raises LeaseLost when the batch was taken over or the ingest cancelled; nothing of it is kept then.
    """
    lease = lease_for(batch)
    batch.extend_lease(lease=lease)
    writer = BlobWriter.start(expires_at=timezone.now() + lease)
    try:
        reading = _read_members(batch, writer=writer, lease=lease)
        writer.sync()
        _keep(batch, reading=reading, writer=writer)
    except BaseException:
        writer.abandon()
        raise


def give_up(batch: IngestBatch) -> None:
    """Reject the single member of a batch that has killed every worker that took it."""
    [fields] = batch.members
    message = _("This file could not be processed: it ended every worker that tried.")
    refused = Refused(Member.from_json(fields).path, "rejected", "processing_failed", message)
    _keep(batch, reading=Reading(refused=[refused]), writer=None)


def _read_members(batch: IngestBatch, *, writer: BlobWriter, lease: timedelta) -> Reading:
    reading = Reading()
    ingest = batch.ingest
    beat = _beat(batch, writer=writer, lease=lease)
    sandbox().clear()
    for member, data in read_batch(batch, upload=ingest.dataset.upload, container=ingest.container, allocate=allocate):
        beat()
        if isinstance(data, Refused):
            reading.refused.append(forgive_side_file(data))
            continue
        for path, content in unfold(member.path, data, upload=ingest.dataset.upload, container=ingest.container):
            if isinstance(content, Refused):
                reading.refused.append(content)
            else:
                reading.take(path, content)
        if reading.hands_full:
            _settle(reading, writer=writer, beat=beat)
    _settle(reading, writer=writer, beat=beat)
    return reading


def _beat(batch: IngestBatch, *, writer: BlobWriter, lease: timedelta) -> Callable[[], None]:
    """Return what is to be called often: it holds on to the batch and its objects when a quarter of a lease is over."""
    quarter = settings.DEEPCAP_LEASE.total_seconds() / 4
    extend_at = time.monotonic() + quarter

    def beat() -> None:
        nonlocal extend_at
        if time.monotonic() > extend_at:
            batch.extend_lease(lease=lease)
            writer.extend(expires_at=timezone.now() + lease)
            extend_at = time.monotonic() + quarter

    return beat


def _settle(reading: Reading, *, writer: BlobWriter, beat: Callable[[], None]) -> None:
    """Examine the files in hand, write those that are images and that the vault does not hold yet, and let go."""
    unknown: dict[str, tuple[Accepted, bytes | memoryview]] = {}
    for (_path, data), result in zip(reading.in_hand, examine_all(reading.in_hand), strict=True):
        beat()
        if isinstance(result, Refused):
            reading.refused.append(result)
        else:
            reading.accepted.append(result)
            unknown.setdefault(result.digest, (result, data))
    known = writer.known(unknown)
    for digest, (accepted, data) in unknown.items():
        if digest not in known:
            writer.write(digest=digest, data=data, thumbnail=accepted.examined.thumbnail)
    reading.in_hand, reading.bytes_in_hand = [], 0
    sandbox().clear()


@transaction.atomic
def _keep(batch: IngestBatch, *, reading: Reading, writer: BlobWriter | None) -> None:
    dataset_id = batch.ingest.dataset_id
    blob_ids = writer.commit({accepted.digest for accepted in reading.accepted}) if writer else {}
    studies = _studies(dataset_id, reading.accepted)
    series = _series(studies, reading.accepted)
    rows = []
    for accepted in reading.accepted:
        study_id = studies[study_key(accepted)]
        series_id = series.get((study_id, _series_uid(accepted)))
        ids = {"dataset_id": dataset_id, "study_id": study_id, "series_id": series_id}
        rows.append(ids | {"blob_id": blob_ids[accepted.digest]} | image_fields(accepted))
    insert_rows(Image, list(rows[0]) if rows else [], (list(row.values()) for row in rows))
    Problem.objects.bulk_create(problems(dataset_id, reading.refused))
    batch.release(WorkState.DONE, members=[])
    _count(batch, reading=reading)


def _count(batch: IngestBatch, *, reading: Reading) -> None:
    """Add to the ingest's counts, and open the next stage if no batch is left.

    The update locks the ingest's row: from here on the batches of one ingest commit one at a time, so that the last of
    them sees all others done.
    """
    rejected = sum(refused.outcome == Outcome.REJECTED for refused in reading.refused)
    running = Ingest.objects.filter(pk=batch.ingest_id, stage=IngestStage.READING, cancelled_at=None).update(
        done_members=F("done_members") + batch.member_count,
        done_bytes=F("done_bytes") + batch.byte_count,
        accepted=F("accepted") + len(reading.accepted),
        rejected=F("rejected") + rejected,
        skipped=F("skipped") + len(reading.refused) - rejected,
    )
    if not running:
        raise LeaseLost(f"Ingest {batch.ingest_id} was cancelled.")
    if not IngestBatch.objects.filter(ingest=batch.ingest_id, state__in=OPEN_STATES).exists():
        Ingest.objects.filter(pk=batch.ingest_id).update(
            stage=IngestStage.ARRANGING, state=WorkState.PENDING, attempts=0, sent_at=None
        )


def _studies(dataset_id: int, images: Iterable[Accepted]) -> dict[str, int]:
    """Return the ids of the images' studies by key, made where missing; in key order, so that no batches deadlock."""
    first = {study_key(accepted): accepted for accepted in images}
    Study.objects.bulk_create(
        [
            Study(
                dataset_id=dataset_id,
                key=key,
                name=key,
                study_instance_uid=clean(accepted.examined.header.study_instance_uid, 64),
                patient_key=patient_key(accepted.examined.header.patient),
            )
            for key, accepted in sorted(first.items())
        ],
        ignore_conflicts=True,
    )
    return dict(Study.objects.filter(dataset=dataset_id, key__in=first).values_list("key", "pk"))


def _series(studies: dict[str, int], images: Iterable[Accepted]) -> dict[tuple[int, str], int]:
    """Return the ids of the images' DICOM series by study and UID, made where missing."""
    first = {
        (studies[study_key(accepted)], _series_uid(accepted)): accepted.examined.header
        for accepted in images
        if _series_uid(accepted)
    }
    Series.objects.bulk_create(
        [
            Series(
                study_id=study_id,
                series_instance_uid=uid,
                series_number=integer(header.series_number),
                modality=clean(header.modality, 16),
                description=clean(header.series_description, 200),
            )
            for (study_id, uid), header in sorted(first.items(), key=lambda item: item[0])
        ],
        ignore_conflicts=True,
    )
    rows = Series.objects.filter(
        study__in={study_id for study_id, _ in first}, series_instance_uid__in={uid for _, uid in first}
    )
    return {(study_id, uid): pk for study_id, uid, pk in rows.values_list("study_id", "series_instance_uid", "pk")}


def _series_uid(accepted: Accepted) -> str:
    return clean(accepted.examined.header.series_instance_uid, 64)
