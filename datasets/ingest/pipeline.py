"""The stages of an ingest, in order::

    index     the archive's directory -> batches of members                    one worker
    read      a batch -> blobs, images, refusals                               as many workers as there are batches
    arrange   images in order, studies in order, duplicates flagged            one worker
    label     files that became no images are read as labels, by other rooms   the same worker
    publish   counts, covers, and the dataset is available                     the same worker

Who works on what stands in ``Ingest`` and ``IngestBatch`` rows, claimed by lease. Each function here does one turn;
``waiting`` says what can be done next, for the caller to announce. At most ``DEEPCAP_INGEST_WIDTH`` announcements of
one ingest are under way, so that a large dataset leaves room for small ones. ``due`` finds what nobody works on.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.blobs.store import STORAGE_FAULTS
from datasets.blobs.writer import BlobVanished
from datasets.models import Dataset, DatasetStatus, Ingest, IngestBatch, IngestStage, Outcome, Problem
from deepcap.common.leases import LeaseLost, WorkState

from .arrange import arrange
from .index import index, split
from .label import label
from .publish import publish
from .read import give_up, read

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
COOL_OFF = timedelta(seconds=30)
OUTSIDE_FAULTS = (OperationalError, InterfaceError, BlobVanished, *STORAGE_FAULTS)
SINGLE_WORKER_STAGES = (IngestStage.INDEXING, IngestStage.ARRANGING, IngestStage.LABELLING)
CANDIDATES = 32


class Announcement(NamedTuple):
    """Workers to be told of an ingest: one to ``advance`` it, or some to ``read_next``."""

    ingest_id: int
    advance: bool = False
    readers: int = 0


def advance(ingest_id: int) -> None:
    """Take an ingest through its next single-worker stage, if nobody else does."""
    ingest = Ingest.objects.filter(stage__in=SINGLE_WORKER_STAGES).claim(ingest_id)
    if ingest is None:
        return
    try:
        if ingest.stage == IngestStage.LABELLING and ingest.attempts <= 2 * MAX_ATTEMPTS:
            label(ingest, give_up=ingest.attempts > MAX_ATTEMPTS)
            publish(ingest)
        elif ingest.attempts > MAX_ATTEMPTS:
            _fail(ingest)
        elif ingest.stage == IngestStage.INDEXING:
            index(ingest)
        else:
            arrange(ingest.dataset_id, beat=ingest.extend_lease)
            ingest.extend_lease(stage=IngestStage.LABELLING, attempts=1)
            label(ingest)
            publish(ingest)
    except LeaseLost:
        logger.info("Ingest %s was taken over or cancelled.", ingest.pk)
    except OUTSIDE_FAULTS:
        _cool_off(ingest)
        raise


def read_next(ingest_id: int) -> None:
    """Read the next batch of an ingest that nobody else reads."""
    batch = _claim_batch(ingest_id)
    if batch is None:
        return
    try:
        if batch.attempts <= MAX_ATTEMPTS:
            read(batch)
        elif batch.member_count > 1:
            split(batch)
        else:
            give_up(batch)
    except LeaseLost:
        logger.info("Batch %s was taken over or cancelled.", batch.pk)
    except OUTSIDE_FAULTS:
        _cool_off(batch)
        raise


def waiting(ingest_id: int, *, readers: int = 1) -> Announcement | None:
    """Return what can be done for an ingest now: the next stage, or up to ``readers`` more batches read."""
    ingest = Ingest.objects.filter(pk=ingest_id).first()
    if ingest is None or ingest.state not in (WorkState.PENDING, WorkState.RUNNING):
        return None
    if ingest.stage in SINGLE_WORKER_STAGES:
        return Announcement(ingest_id, advance=True) if ingest.state == WorkState.PENDING else None
    batches = IngestBatch.objects.filter(ingest=ingest)
    claimable = batches.claimable().count()
    running = batches.filter(state=WorkState.RUNNING, lease_until__gte=timezone.now()).count()
    readers = min(readers, claimable, settings.DEEPCAP_INGEST_WIDTH - running)
    return Announcement(ingest_id, readers=readers) if readers > 0 else None


def due() -> list[Announcement]:
    """Find ingests that nobody works on although they could be, and note that they are announced again."""
    now = timezone.now()
    live = IngestBatch.objects.filter(ingest=OuterRef("pk"), state=WorkState.RUNNING, lease_until__gte=now)
    idle = Ingest.objects.to_resend(older_than=settings.DEEPCAP_LEASE).exclude(stage=IngestStage.DONE)
    ids = list(idle.filter(~Exists(live)).order_by("pk").values_list("pk", flat=True)[:1000])
    Ingest.objects.filter(pk__in=ids).update(sent_at=now)
    announcements = (waiting(pk, readers=settings.DEEPCAP_INGEST_WIDTH) for pk in ids)
    expired = Ingest.objects.filter(pk__in=ids, state=WorkState.RUNNING, stage__in=SINGLE_WORKER_STAGES)
    retaken = [Announcement(pk, advance=True) for pk in expired.values_list("pk", flat=True)]
    return [*filter(None, announcements), *retaken]


def _claim_batch(ingest_id: int) -> IngestBatch | None:
    open_batches = IngestBatch.objects.filter(ingest=ingest_id).claimable().order_by("number")
    for pk in open_batches.values_list("pk", flat=True)[:CANDIDATES]:
        batch = IngestBatch.objects.claim(pk)
        if batch is not None:
            return batch
    return None


def _cool_off(work: Ingest | IngestBatch) -> None:
    """Leave a row that failed through no fault of its own to be taken again in a while; the attempt does not count."""
    type(work).objects.filter(pk=work.pk, lease_token=work.lease_token).update(
        lease_token=None, lease_until=timezone.now() + COOL_OFF, attempts=F("attempts") - 1
    )


@transaction.atomic
def _fail(ingest: Ingest) -> None:
    """Give an ingest up whose single-worker stage ended every worker: told to its owner, left to the operators."""
    message = _("The file could not be processed: it ended every worker that tried. An operator has to look at it.")
    Problem.objects.create(
        dataset_id=ingest.dataset_id,
        path=ingest.dataset.name,
        outcome=Outcome.REJECTED,
        code="processing_failed",
        message=message,
    )
    ingest.release(WorkState.FAILED, rejected=F("rejected") + 1, finished_at=timezone.now())
    Dataset.objects.filter(pk=ingest.dataset_id, status__in=(DatasetStatus.QUEUED, DatasetStatus.PREPARING)).update(
        status=DatasetStatus.PREPARATION_FAILED, status_detail=message
    )
    logger.error("Ingest %s was given up after %s attempts.", ingest.pk, MAX_ATTEMPTS)
