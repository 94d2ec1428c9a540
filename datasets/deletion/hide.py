"""A dataset disappears at once, long before its rows do, and nothing is read into it any more."""

from __future__ import annotations

from django.utils import timezone

from datasets.models import Dataset, DatasetStatus, Ingest, IngestBatch, IngestStage
from deepcap.common.leases import OPEN_STATES, WorkState


def hide(dataset: Dataset) -> str | None:
    """Cancel what is being read into ``dataset`` and take it off every list; return the status it had.

    None when it is being deleted already, or gone. Rows are locked in the order in which those who read lock them:
    batches, ingest, dataset. Call it in the transaction that creates the deletion.
    """
    unfinished = {"state": WorkState.CANCELLED, "lease_token": None, "lease_until": None}
    IngestBatch.objects.filter(ingest__dataset=dataset, state__in=OPEN_STATES).update(**unfinished, members=[])
    ingest = Ingest.objects.filter(dataset=dataset, state__in=OPEN_STATES)
    all_read = (IngestStage.ARRANGING, IngestStage.LABELLING)
    ingest.exclude(stage__in=all_read).update(cancelled_at=timezone.now())
    ingest.update(**unfinished)
    locked = Dataset.objects.select_for_update().filter(pk=dataset.pk).exclude(status=DatasetStatus.DELETING)
    status = locked.values_list("status", flat=True).first()
    if status is not None:
        Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.DELETING)
    return status


def unhide(dataset_id: int, *, status_before: str, name: str) -> int | None:
    """Bring a hidden dataset back under ``name``; return its ingest's id if that has to be brought to an end.

    What was being read is arranged and published like any cancelled ingest: what had been read can be kept. An upload
    goes on where it was. IntegrityError when the owner uses ``name`` for another dataset.
    """
    stopped = Ingest.objects.filter(dataset=dataset_id, state=WorkState.CANCELLED)
    ingest_id = stopped.values_list("pk", flat=True).first()
    stopped.update(stage=IngestStage.ARRANGING, state=WorkState.PENDING, attempts=0, sent_at=timezone.now())
    status = status_before if ingest_id is None else DatasetStatus.PREPARING
    Dataset.objects.filter(pk=dataset_id, status=DatasetStatus.DELETING).update(status=status, name=name)
    return ingest_id
