"""``/metrics``: what waits, what is under way and what is stuck, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from datasets.models import (
    Dataset,
    DatasetStatus,
    Deletion,
    DeletionStage,
    Ingest,
    IngestBatch,
    StorageRemoval,
    Upload,
    UploadState,
    VaultCandidate,
)
from deepcap.common.leases import OPEN_STATES, WorkState

ENDED = (DeletionStage.DONE, DeletionStage.RESTORED, DeletionStage.WAITING)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For operators who are signed in, and scrapers that send ``Authorization: Bearer DEEPCAP_METRICS_TOKEN``."""
    if not _may_scrape(request):
        return JsonResponse({"code": "permission_denied", "detail": "Metrics are for operators."}, status=403)
    return HttpResponse(generate_latest(collect()), content_type=CONTENT_TYPE_LATEST)


def collect() -> CollectorRegistry:
    """Count afresh, by queries that read indexes of what is open."""
    registry = CollectorRegistry()
    _by("deepcap_datasets", "Datasets by status.", "status", DatasetStatus.values, Dataset.objects.all(), registry)
    unfinished = (*OPEN_STATES, WorkState.FAILED)
    batches = IngestBatch.objects.filter(state__in=unfinished)
    _by("deepcap_ingest_batches", "Batches that are not done, by state.", "state", unfinished, batches, registry)

    ingests = Ingest.objects.filter(state__in=OPEN_STATES)
    deletions = Deletion.objects.exclude(stage__in=ENDED)
    uploads = Upload.objects.filter(state=UploadState.OPEN)
    _set("deepcap_open_ingests", "Datasets being prepared.", ingests.count(), registry)
    _set("deepcap_open_deletions", "Deletions whose rows or objects are not all gone.", deletions.count(), registry)
    _set("deepcap_open_uploads", "Uploads that wait for parts.", uploads.count(), registry)
    _set("deepcap_vault_removals", "Objects ordered to be removed.", StorageRemoval.objects.count(), registry)
    _set("deepcap_vault_candidates", "Blobs that may be unreferenced.", VaultCandidate.objects.count(), registry)
    oldest = {
        "ingest": ingests.aggregate(at=Min("created_at"))["at"],
        "deletion": deletions.aggregate(at=Min("requested_at"))["at"],
        "removal": StorageRemoval.objects.aggregate(at=Min("created_at"))["at"],
    }
    _ages(oldest, registry)
    return registry


def _may_scrape(request: HttpRequest) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if settings.DEEPCAP_METRICS_TOKEN and scheme.lower() == "bearer":
        return constant_time_compare(key.strip(), settings.DEEPCAP_METRICS_TOKEN)
    return request.user.is_active and request.user.is_staff


def _by(name: str, text: str, column: str, values: Sequence[str], rows: QuerySet, registry: CollectorRegistry) -> None:
    gauge = Gauge(name, text, [column], registry=registry)
    counted = dict(rows.order_by().values_list(column).annotate(count=Count("pk")))
    for value in values:
        gauge.labels(str(value)).set(counted.get(value, 0))


def _set(name: str, text: str, value: int, registry: CollectorRegistry) -> None:
    Gauge(name, text, registry=registry).set(value)


def _ages(oldest: Mapping[str, datetime | None], registry: CollectorRegistry) -> None:
    gauge = Gauge("deepcap_oldest_pending_seconds", "Age of the oldest unfinished work.", ["kind"], registry=registry)
    for kind, since in oldest.items():
        gauge.labels(kind).set((timezone.now() - since).total_seconds() if since else 0)
