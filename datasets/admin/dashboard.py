"""The admin's first page: what waits, what is stuck, what is full. Every number is exact and read from few rows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

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
)
from deepcap.common import formatting
from deepcap.common.admin import link, list_of, page_of
from deepcap.common.leases import OPEN_STATES, WorkState

STUCK = 10
ERASING = (DeletionStage.ROWS, DeletionStage.OBJECTS)


@dataclass(frozen=True)
class Number:
    label: str
    value: object
    url: str | None = None


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the numbers to the page of somebody who may see datasets."""
    if request.user.has_perm("datasets.view_dataset"):
        context["dashboard"] = {
            "groups": [
                {"title": _("Datasets"), "numbers": datasets()},
                {"title": _("Work"), "numbers": work()},
                {"title": _("Storage"), "numbers": storage()},
            ],
            "tables": [failed_ingests(), tried_deletions()],
        }
    return context


def datasets() -> list[Number]:
    """How many datasets there are, by status."""
    counted = dict(Dataset.objects.order_by().values_list("status").annotate(count=Count("pk")))
    return [
        Number(str(status.label), counted.get(status.value, 0), list_of(Dataset, status__exact=status.value))
        for status in DatasetStatus
    ]


def work() -> list[Number]:
    """What is open, what was given up, and how long the oldest has been waiting."""
    ingests = Ingest.objects.filter(state__in=OPEN_STATES).aggregate(oldest=Min("created_at"))
    deletions = Deletion.objects.filter(stage__in=ERASING).aggregate(count=Count("pk"), oldest=Min("requested_at"))
    states = (*OPEN_STATES, WorkState.FAILED)
    batches = IngestBatch.objects.filter(state__in=states).order_by().values_list("state")
    by_state = dict(batches.annotate(count=Count("pk")))
    failed = Ingest.objects.filter(state=WorkState.FAILED).count()
    return [
        Number(_("Batches that wait"), by_state.get("pending", 0), list_of(IngestBatch, state__exact="pending")),
        Number(_("Batches being read"), by_state.get("running", 0), list_of(IngestBatch, state__exact="running")),
        Number(_("Batches given up"), by_state.get("failed", 0), list_of(IngestBatch, state__exact="failed")),
        Number(_("Ingests given up"), failed, list_of(Ingest, state__exact="failed")),
        Number(_("Oldest open ingest"), _age(ingests["oldest"])),
        Number(_("Open deletions"), deletions["count"], list_of(Deletion, stage__in=",".join(ERASING))),
        Number(_("Oldest open deletion"), _age(deletions["oldest"])),
        Number(
            _("Open uploads"),
            Upload.objects.filter(state=UploadState.OPEN).count(),
            list_of(Upload, state__exact="open"),
        ),
    ]


def storage() -> list[Number]:
    """What is kept and what is to go. A blob that two datasets show is kept once, and counted with each of them."""
    shown = Dataset.objects.exclude(status=DatasetStatus.DELETING).aggregate(size=Sum("size_bytes"))
    removals = StorageRemoval.objects.aggregate(count=Count("pk"), oldest=Min("created_at"))
    numbers = [
        Number(_("Size of all datasets"), formatting.size(shown["size"] or 0), list_of(Dataset)),
        Number(_("Ordered removals"), removals["count"], list_of(StorageRemoval)),
        Number(_("Oldest ordered removal"), _age(removals["oldest"])),
    ]
    free = _free_bytes()
    return numbers if free is None else [*numbers, Number(_("Free on the vault's disk"), formatting.size(free))]


def failed_ingests() -> dict[str, object]:
    """The last ingests that were given up: their datasets' pages have the button that tries again."""
    failed = Ingest.objects.filter(state=WorkState.FAILED).select_related("dataset__owner").order_by("-pk")[:STUCK]
    rows = [
        [link(page_of(ingest.dataset), ingest.dataset), ingest.dataset.owner, ingest.get_stage_display(), _day(ingest)]
        for ingest in failed
    ]
    return {"title": _("Ingests given up"), "headers": [_("Dataset"), _("Owner"), _("Stage"), _("Since")], "rows": rows}


def tried_deletions() -> dict[str, object]:
    """Deletions that did not come to an end at the first attempt."""
    tried = Deletion.objects.filter(stage__in=ERASING, attempts__gt=1).order_by("requested_at")[:STUCK]
    rows = [
        [link(page_of(deletion), deletion.target_name), deletion.get_stage_display(), deletion.attempts]
        for deletion in tried
    ]
    headers = [_("Target"), _("Stage"), _("Attempts")]
    return {"title": _("Deletions tried more than once"), "headers": headers, "rows": rows}


def _day(ingest: Ingest) -> str:
    return formatting.day(ingest.finished_at or ingest.created_at)


def _age(since: datetime | None) -> str:
    return formatting.duration((timezone.now() - since).total_seconds()) if since else "–"


def _free_bytes() -> int | None:
    """Return the free space where files are kept; None for a bucket, or before anything was stored."""
    location = settings.STORAGES["vault"]["OPTIONS"].get("location")
    is_folder = "bucket_name" not in settings.STORAGES["vault"]["OPTIONS"] and Path(location).is_dir()
    return shutil.disk_usage(location).free if is_folder else None
