"""How far an upload or an ingest has come, from rows that are there anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from datasets.models import Dataset, DatasetSource, DatasetStatus, Ingest, IngestStage, Upload, UploadPart
from deepcap.common.leases import WorkState


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total``: bytes while uploading, files after that, images of others while they are combined.

    ``eta_seconds`` is None while nobody can tell.
    """

    stage: str
    done: int
    total: int
    eta_seconds: int | None

    @property
    def percentage(self) -> int:
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True)
class ReportCounts:
    """Files that became images, that were passed over, and that were refused."""

    accepted: int
    skipped: int
    rejected: int


def with_progress(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """Load what :func:`progress_of` and :func:`report_of` need along with the datasets."""
    parts = UploadPart.objects.filter(upload__dataset=OuterRef("pk")).order_by().values("upload")
    received = Subquery(parts.annotate(total=Sum("size")).values("total"))
    sources = DatasetSource.objects.filter(dataset=OuterRef("pk")).order_by().values("dataset")
    combined, to_combine = (
        Subquery(sources.annotate(total=Sum(field)).values("total")) for field in ("done_count", "image_count")
    )
    return datasets.select_related("ingest", "upload").annotate(
        received_bytes=Coalesce(received, 0),
        combined_images=Coalesce(combined, 0),
        images_to_combine=Coalesce(to_combine, 0),
    )


def progress_of(dataset: Dataset) -> Progress:
    """Return how far a dataset selected :func:`with_progress` is."""
    upload: Upload | None = getattr(dataset, "upload", None)
    ingest: Ingest | None = getattr(dataset, "ingest", None)
    if dataset.status == DatasetStatus.UPLOADING and upload:
        done = min(dataset.received_bytes, upload.size)
        eta = _remaining(since=upload.created_at, done=done, total=upload.size)
        return Progress("uploading", done, upload.size, eta)
    if not dataset.is_under_way:
        files = ingest.member_count if ingest else dataset.image_count
        return Progress("done", ingest.done_members if ingest and ingest.cancelled_at else files, files, 0)
    if dataset.images_to_combine:
        done, total = dataset.combined_images, dataset.images_to_combine
        eta = _remaining(since=dataset.created_at, done=done, total=total) if done < total else None
        return Progress("combining", done, total, eta)
    if ingest is None or (ingest.stage == IngestStage.INDEXING and ingest.state == WorkState.PENDING):
        return Progress("queued", 0, 0, None)
    eta = None
    if ingest.stage == IngestStage.READING:
        eta = _remaining(since=ingest.started_at, done=ingest.done_bytes, total=ingest.byte_count)
    return Progress(ingest.stage, ingest.done_members, ingest.member_count, eta)


def report_of(dataset: Dataset) -> ReportCounts:
    """Return what became of the files of a dataset; one that was not uploaded consists of what was accepted."""
    ingest: Ingest | None = getattr(dataset, "ingest", None)
    if ingest is None:
        return ReportCounts(accepted=dataset.image_count, skipped=0, rejected=0)
    return ReportCounts(accepted=ingest.accepted, skipped=ingest.skipped, rejected=ingest.rejected)


def _remaining(*, since: datetime | None, done: int, total: int) -> int | None:
    """Return the seconds that the rest takes if it goes on as it did; None before anything is done."""
    if since is None or done <= 0:
        return None
    elapsed = (timezone.now() - since).total_seconds()
    return max(0, round(elapsed * (total - done) / done))
