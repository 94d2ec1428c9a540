"""Uploads that end without an ingest: given up by their owner, or left behind."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from datasets.blobs.store import get_store
from datasets.models import Dataset, DatasetStatus, StorageRemoval, Upload, UploadState

EXPIRED_AT_A_TIME = 100


def expire_uploads() -> int:
    """Give up the sessions whose time has run out; returns how many. Called by the sweep."""
    late = Upload.objects.filter(
        state=UploadState.OPEN, dataset__status=DatasetStatus.UPLOADING, expires_at__lt=timezone.now()
    ).order_by("expires_at")
    return sum(discard(upload) for upload in late.select_related("dataset")[:EXPIRED_AT_A_TIME])


def discard(upload: Upload) -> bool:
    """Remove an open upload with its parts and its dataset; False when it is not open any more.

    The parts go first: what was completed meanwhile is not harmed by that, and what is left open is discarded again.
    """
    if upload.multipart_id:
        get_store().abort_multipart(upload.storage_key, upload.multipart_id)
    with transaction.atomic():
        dataset = (
            Dataset.objects.select_for_update().filter(pk=upload.dataset_id, status=DatasetStatus.UPLOADING).first()
        )
        if dataset is None:
            return False
        StorageRemoval.objects.create(prefix=upload.storage_key)
        dataset.delete()
    return True
