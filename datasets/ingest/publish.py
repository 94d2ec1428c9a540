"""Last stage: count, and tell. One transaction makes the dataset available, or says what stands in the way."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datasets.models import (
    Dataset,
    DatasetStatus,
    Ingest,
    IngestStage,
    Outcome,
    Problem,
    StorageRemoval,
    Upload,
    UploadState,
)
from deepcap.accounts.services import notify
from deepcap.common.leases import LeaseLost, WorkState

from .counts import counts_of


def publish(ingest: Ingest) -> None:
    """End a claimed, arranged ingest: the dataset is available, or waits for its owner to keep or delete it (P2).

    Raises LeaseLost when the ingest was taken over, or the dataset is being deleted.
    """
    dataset = ingest.dataset
    counts = counts_of(dataset.pk, beat=ingest.extend_lease)
    url = dataset.get_absolute_url()  # the first address a process makes loads every page: not while rows are locked
    with transaction.atomic():
        now = timezone.now()
        ingest.release(WorkState.DONE, stage=IngestStage.DONE, finished_at=now)
        failure = _failure(ingest, images=counts["image_count"])
        status = DatasetStatus.PREPARATION_FAILED if failure else DatasetStatus.AVAILABLE
        values = {**counts, "status": status, "status_detail": failure[:500], "published_at": None if failure else now}
        under_way = (DatasetStatus.QUEUED, DatasetStatus.PREPARING)
        if not Dataset.objects.filter(pk=dataset.pk, status__in=under_way).update(**values):
            raise LeaseLost(f"Dataset {dataset.pk} is not being prepared any more.")
        if not failure:
            drop_upload(dataset)
        _tell(dataset, failure=failure, url=url)


def drop_upload(dataset: Dataset) -> None:
    """Let go of the uploaded file: its images are in the vault. Call it in the transaction that settles the dataset."""
    uploads = Upload.objects.filter(dataset=dataset, state=UploadState.COMPLETE)
    StorageRemoval.objects.bulk_create(
        StorageRemoval(prefix=upload.storage_key, size=upload.size) for upload in uploads
    )
    uploads.update(state=UploadState.INGESTED)


def _failure(ingest: Ingest, *, images: object) -> str:
    """Return the sentence that says why the dataset is not simply available; empty when it is."""
    if ingest.cancelled_at:
        return _("Cancelled after %(done)d of %(all)d files.") % {
            "done": ingest.done_members,
            "all": ingest.member_count,
        }
    if ingest.rejected and not images:
        only = Problem.objects.filter(dataset=ingest.dataset_id, outcome=Outcome.REJECTED)[:2]
        return only[0].message if len(only) == 1 else _("None of the files could be used.")
    if not images:
        return _("There are no images in it.")
    if ingest.rejected:
        return ngettext("%(bad)d file could not be used.", "%(bad)d files could not be used.", ingest.rejected) % {
            "bad": ingest.rejected
        }
    return ""


def _tell(dataset: Dataset, *, failure: str, url: str) -> None:
    name = {"name": dataset.name}
    if failure:
        text = _("Preparation of dataset “%(name)s” failed.") % name
    else:
        text = _("Dataset “%(name)s” is ready.") % name
    notify(
        user=dataset.owner,
        kind="dataset.preparation_failed" if failure else "dataset.available",
        text=text,
        url=url,
    )
