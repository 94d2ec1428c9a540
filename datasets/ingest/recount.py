"""Stored counts against the rows they count: differences are corrected, and reported because there should be none."""

from __future__ import annotations

import logging

from datasets.models import Dataset, DatasetStatus

from .counts import counts_of

logger = logging.getLogger(__name__)


def recount(dataset_id: int) -> dict[str, tuple[object, object]]:
    """Correct a settled dataset's stored counts; return the differences as {field: (stored, counted)}."""
    settled = (DatasetStatus.AVAILABLE, DatasetStatus.PREPARATION_FAILED)
    dataset = Dataset.objects.filter(pk=dataset_id, status__in=settled).first()
    if dataset is None:
        return {}
    counted = counts_of(dataset_id)
    wrong = {
        field: (getattr(dataset, field), value) for field, value in counted.items() if getattr(dataset, field) != value
    }
    if wrong:
        logger.warning("Counts of dataset %s were wrong: %s", dataset_id, wrong)
        Dataset.objects.filter(pk=dataset_id, status=dataset.status).update(
            **{field: counted[field] for field in wrong}
        )
    return wrong


def recount_all() -> int:
    """Recount every settled dataset; return how many had to be corrected."""
    return sum(bool(recount(pk)) for pk in list(Dataset.objects.values_list("pk", flat=True)))
