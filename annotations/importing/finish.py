"""The end of an import: labels in order, everything counted, the annotation data available or their owner asked."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations import statistics
from annotations.formats.base import RowProblem
from annotations.models import AnnotationData, AnnotationDataStatus, ImportStage, LabelImport, LabelProblem
from deepcap.accounts.services import notify
from deepcap.common.leases import LeaseLost, WorkState

from .problems import Problems, nothing_in_it, sentence

logger = logging.getLogger(__name__)


def finish(work: LabelImport, *, problems: Problems, row_count: int, hold: Callable[..., None]) -> None:
    """Count what was read and settle the annotation data. Raises LeaseLost."""
    data_id = work.annotation_data_id
    hold(stage=ImportStage.COUNTING, row_count=row_count, done_bytes=F("total_bytes"))
    statistics.arrange_labels(data_id)
    statistics.count(data_id, beat=hold)
    statistics.recompute(data_id, beat=hold)
    data = AnnotationData.objects.get(pk=data_id)
    detail = _detail(work, data, problems)
    _settle(work, data, detail=detail, problem_count=problems.count, by_code=dict(problems.by_code))


def give_up(work: LabelImport) -> None:
    """End an import that has ended every worker that took it: told to its owner, left to the operators."""
    message = _("The file could not be processed: it ended every worker that tried. An operator has to look at it.")
    problems = Problems(work)
    problems.add(RowProblem(None, "", "processing_failed", message, work.filename))
    with transaction.atomic():
        problems.write()
        _settle(work, work.annotation_data, detail=message, problem_count=1, by_code=dict(problems.by_code))
    logger.error("Import %s was given up after %s attempts.", work.pk, work.attempts - 1)


def _detail(work: LabelImport, data: AnnotationData, problems: Problems) -> str:
    """Return the sentence that says why the data are not simply available; empty when they are."""
    if problems.count == 1 and not data.image_count:
        return LabelProblem.objects.filter(label_import=work).values_list("message", flat=True).first() or sentence(1)
    if problems.count:
        return sentence(problems.count)
    return "" if data.image_count else nothing_in_it()


@transaction.atomic
def _settle(
    work: LabelImport, data: AnnotationData, *, detail: str, problem_count: int, by_code: dict[str, int]
) -> None:
    work.release(
        WorkState.DONE,
        stage=ImportStage.DONE,
        finished_at=timezone.now(),
        problem_count=problem_count,
        problems_by_code=by_code,
    )
    status = AnnotationDataStatus.IMPORT_FAILED if detail else AnnotationDataStatus.AVAILABLE
    settled = AnnotationData.objects.filter(pk=data.pk, status=AnnotationDataStatus.IMPORTING).update(
        status=status, status_detail=detail[:500]
    )
    if not settled:
        raise LeaseLost(f"Annotation data {data.pk} are not being imported any more.")
    _tell(work, data, failed=bool(detail))


def _tell(work: LabelImport, data: AnnotationData, *, failed: bool) -> None:
    """Notify whoever asked for it. Of an upload's own labels only trouble is told: the dataset tells the rest."""
    within_upload = not work.options.get("asked", False)
    if within_upload and not failed:
        return
    name = {"name": data.name}
    if failed:
        text = _("Labels of “%(name)s” could not all be used.") % name
    else:
        text = _("Annotation data “%(name)s” are ready.") % name
    notify(
        user=work.requested_by or work.dataset.owner,
        kind="annotation_data.import_failed" if failed else "annotation_data.available",
        text=text,
        url=data.get_absolute_url(),
    )
