"""How a combination ends: the dataset is available, or its owner is told why not."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.models import AnnotationData, AnnotationDataStatus, Combination, CombinationStage
from datasets.errors import QuotaExceeded
from datasets.ingest.counts import counts_of
from datasets.models import Dataset, DatasetStatus
from datasets.services.quota import require_room
from deepcap.accounts.services import notify
from deepcap.common.leases import LeaseLost, WorkState

from .recipe import Recipe


class Refused(Exception):
    """The result cannot be had; the message is a sentence for its owner."""


def finish(work: Combination, recipe: Recipe) -> None:
    """The dataset, and what its sources said of it, are available. Raises Refused, and LeaseLost.

    The room for bytes that are new to the owner is asked for again: others may have taken it meanwhile.
    """
    counts = counts_of(work.dataset_id, beat=work.extend_lease)
    work.dataset.get_absolute_url()  # a process that has made no address yet loads all pages now, not while it locks
    if not counts["image_count"]:
        raise Refused(_("There are no images in it."))
    with transaction.atomic():
        now = timezone.now()
        preparing = Dataset.objects.filter(pk=work.dataset_id, status=DatasetStatus.PREPARING)
        if not preparing.update(**counts, status=DatasetStatus.AVAILABLE, published_at=now):
            raise LeaseLost(f"Dataset {work.dataset_id} is not being prepared any more.")
        if work.place.get("new_bytes"):
            _require_room(work)
        work.release(WorkState.DONE, stage=CombinationStage.DONE, finished_at=now)
        conflicts = work.place.get("conflicts", 0)
        detail = ngettext(
            "The sources say different things of %(count)d image.",
            "The sources say different things of %(count)d images.",
            conflicts,
        ) % {"count": conflicts}
        _being_made(work).update(status=AnnotationDataStatus.AVAILABLE, status_detail=detail if conflicts else "")
        _tell(work, kind="dataset.available", text=_("Dataset “%(name)s” is ready."))


def _require_room(work: Combination) -> None:
    try:
        require_room(user=work.dataset.owner, size=0)
    except QuotaExceeded as error:
        raise Refused(error.message) from error


@transaction.atomic
def fail(work: Combination, message: str) -> None:
    """End a claimed combination that cannot be done. Raises LeaseLost."""
    Dataset.objects.filter(pk=work.dataset_id).select_for_update(no_key=True).first()  # as deletions lock: it first
    work.release(WorkState.FAILED, finished_at=timezone.now())
    leave(work, message)


def leave(work: Combination, message: str) -> None:
    """The dataset has failed to be made, and its owner is told why. What has been copied goes when it is deleted."""
    Dataset.objects.filter(pk=work.dataset_id, status=DatasetStatus.PREPARING).update(
        **counts_of(work.dataset_id), status=DatasetStatus.PREPARATION_FAILED, status_detail=message[:500]
    )
    _being_made(work).update(status=AnnotationDataStatus.IMPORT_FAILED, status_detail=message[:500])
    _tell(work, kind="dataset.preparation_failed", text=_("Dataset “%(name)s” could not be made."))


def _being_made(work: Combination) -> QuerySet[AnnotationData]:
    made = [target for target, _part in Recipe.from_json(work.recipe).labellings(work.annotation_data_id)]
    return AnnotationData.objects.filter(pk__in=made, status=AnnotationDataStatus.IMPORTING)


def _tell(work: Combination, *, kind: str, text: str) -> None:
    dataset = work.dataset
    notify(user=dataset.owner, kind=kind, text=text % {"name": dataset.name}, url=dataset.get_absolute_url())
