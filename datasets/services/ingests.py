"""What people do about an ingest: start it, stop it, keep what it brought."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets import hooks
from datasets.errors import NotTheOwner, WrongState
from datasets.ingest.publish import drop_upload
from datasets.models import Dataset, DatasetStatus, Ingest, IngestBatch, IngestStage
from datasets.tasks import advance_ingest
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.leases import OPEN_STATES, WorkState


def start_ingest(*, dataset: Dataset) -> Ingest:
    """Queue a dataset whose upload is complete. Call it in the transaction that completes the upload."""
    ingest = Ingest.objects.create(dataset=dataset, sent_at=timezone.now())
    Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.QUEUED)
    dataset.status = DatasetStatus.QUEUED
    advance_ingest.delay_on_commit(ingest.pk)
    return ingest


@transaction.atomic
def cancel_ingest(*, dataset: Dataset, by: User) -> Dataset:
    """Stop reading; what has been read so far can be kept or deleted. Raises WrongState when nothing is under way.

    Other rooms stop what they are making the dataset of.
    """
    _check_owner(dataset, by)
    if any(stop(dataset, by=by) for stop in hooks.stopping):
        dataset.refresh_from_db()
        return dataset
    ingest = Ingest.objects.filter(dataset=dataset, stage__in=(IngestStage.INDEXING, IngestStage.READING)).first()
    if ingest is None:
        raise _nothing_under_way()
    # Batches before their ingest: the order in which a batch that ends takes these locks.
    IngestBatch.objects.filter(ingest=ingest, state__in=OPEN_STATES).update(
        state=WorkState.CANCELLED, lease_token=None, lease_until=None, members=[]
    )
    stopped = Ingest.objects.filter(
        pk=ingest.pk, cancelled_at=None, stage__in=(IngestStage.INDEXING, IngestStage.READING)
    ).update(
        stage=IngestStage.ARRANGING,
        state=WorkState.PENDING,
        lease_token=None,
        lease_until=None,
        attempts=0,
        cancelled_at=timezone.now(),
        sent_at=timezone.now(),
    )
    if not stopped:
        raise _nothing_under_way()
    record(actor=by, action="dataset.ingest_cancelled", target=dataset)
    advance_ingest.delay_on_commit(ingest.pk)
    dataset.refresh_from_db()
    return dataset


@transaction.atomic
def keep_accepted(*, dataset: Dataset, by: User) -> Dataset:
    """Make a dataset available with the images that were accepted, after "preparation failed" (P2).

    Raises WrongState when it did not fail or nothing was accepted.
    """
    _check_owner(dataset, by)
    failed = Dataset.objects.filter(pk=dataset.pk, status=DatasetStatus.PREPARATION_FAILED, ingest__isnull=False)
    kept = failed.filter(image_count__gt=0).update(
        status=DatasetStatus.AVAILABLE, status_detail="", published_at=timezone.now()
    )
    if not kept:
        raise WrongState(_("There is nothing to keep: preparation did not fail, or no image was accepted."))
    drop_upload(dataset)
    record(actor=by, action="dataset.kept", target=dataset, rejected=dataset.ingest.rejected)
    dataset.refresh_from_db()
    return dataset


@transaction.atomic
def retry_ingest(*, dataset: Dataset, by: User) -> Ingest:
    """Give work that was given up another round of attempts. For operators. Raises WrongState when none was."""
    ingest = Ingest.objects.filter(dataset=dataset).first()
    retried = ingest and Ingest.objects.filter(pk=ingest.pk, state=WorkState.FAILED).update(
        state=WorkState.PENDING, attempts=0, sent_at=timezone.now(), finished_at=None
    )
    if not retried:
        raise WrongState(_("This ingest was not given up."))
    # What was said of the work as a whole; files that were given up one by one stay rejected.
    said = dataset.problems.filter(code="processing_failed", path=dataset.name).delete()[0]
    Ingest.objects.filter(pk=ingest.pk, rejected__gte=said).update(rejected=F("rejected") - said)
    Dataset.objects.filter(pk=dataset.pk, status=DatasetStatus.PREPARATION_FAILED).update(
        status=DatasetStatus.QUEUED if ingest.stage == IngestStage.INDEXING else DatasetStatus.PREPARING,
        status_detail="",
    )
    record(actor=by, action="dataset.ingest_retried", target=dataset)
    advance_ingest.delay_on_commit(ingest.pk)
    ingest.refresh_from_db()
    return ingest


def _nothing_under_way() -> WrongState:
    return WrongState(_("Nothing is being prepared that could be cancelled."))


def _check_owner(dataset: Dataset, by: User) -> None:
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
