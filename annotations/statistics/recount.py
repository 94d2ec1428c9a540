"""Stored counts against the rows they count: differences are corrected, and reported because there should be none."""

from __future__ import annotations

import logging

from annotations.models import AnnotationData, AnnotationDataStatus, Statistics

from .counts import count
from .report import recompute

logger = logging.getLogger(__name__)

SETTLED = (AnnotationDataStatus.AVAILABLE, AnnotationDataStatus.IMPORT_FAILED)


def recount(annotation_data_id: int) -> dict[str, int]:
    """Correct the counts and the report of settled annotation data; return how many counts differed, by kind.

    Nothing is done to data that are being imported or deleted: whoever does that counts.
    """
    settled = AnnotationData.objects.filter(pk=annotation_data_id, status__in=SETTLED)
    if not settled.exclude(annotation_type="").exists():
        return {}
    wrong = {kind: number for kind, number in count(annotation_data_id).items() if number}
    if wrong:
        logger.warning("Counts of annotation data %s were wrong: %s", annotation_data_id, wrong)
    if wrong or not Statistics.objects.filter(pk=annotation_data_id).exists():
        recompute(annotation_data_id)
    return wrong


def recount_all() -> int:
    """Recount all annotation data; return how many had to be corrected."""
    return sum(bool(recount(pk)) for pk in list(AnnotationData.objects.values_list("pk", flat=True)))
