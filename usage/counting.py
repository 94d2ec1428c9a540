"""Stored counts of usage: written set-based by the transaction that changes what they count (product: "what the usage
counters count"), and counted again now and then, because there should be no difference.

- a dataset counts the projects on it, their jobs, the tasks trained on any of its annotation data, and the inferences
  on it;
- annotation data count the tasks trained on them, the inferences they are ground truth of, the projects that include
  them.

Records that are being deleted, alone or with anything above them, are not counted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.models import Dataset, DatasetStatus
from deepcap.common.chunks import in_chunks

from .models import AnnotationJob, AnnotationProject, InferenceJob, TrainingTask
from .under import Counted, Table

logger = logging.getLogger(__name__)

AT_A_TIME = 500


def _number(rows: QuerySet, way: str) -> Coalesce:
    """Count the ``rows`` that reach the counting row by ``way``."""
    numbers = rows.filter(**{way: OuterRef("pk")}).order_by().values(way).annotate(number=Count("pk"))
    return Coalesce(Subquery(numbers.values("number"), output_field=IntegerField()), 0)


def _counts(table: Table) -> Mapping[str, Any]:
    projects, jobs = AnnotationProject.objects.alive(), AnnotationJob.objects.alive()
    tasks, inferences = TrainingTask.objects.alive(), InferenceJob.objects.alive()
    return {
        Dataset: {
            "annotation_project_count": _number(projects, "dataset"),
            "annotation_job_count": _number(jobs, "project__dataset"),
            "training_task_count": _number(tasks, "annotation_data__dataset"),
            "inference_job_count": _number(inferences, "dataset"),
        },
        AnnotationData: {
            "training_task_count": _number(tasks, "annotation_data"),
            "inference_job_count": _number(inferences, "ground_truth"),
            "annotation_project_count": _number(projects, "included_annotation_data"),
        },
        TrainingTask: {"inference_job_count": _number(inferences, "training_task")},
        AnnotationProject: {"annotation_job_count": _number(jobs, "project")},
    }[table]


def count(counted: Counted) -> None:
    """Write the counts of these rows as they are now.

    Rows are locked first, in one order: of two transactions that change what the same row counts, the second counts
    what the first has committed. Call it in a transaction.
    """
    for table, pks in (
        (Dataset, counted.datasets),
        (AnnotationData, counted.annotation_data),
        (TrainingTask, counted.training_tasks),
        (AnnotationProject, counted.projects),
    ):
        if pks:
            rows = table._base_manager.filter(pk__in=pks)
            list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
            rows.update(**_counts(table))


def recount(table: Table, pks: Iterable[int]) -> dict[int, dict[str, tuple[int, int]]]:
    """Correct the stored counts of rows; return the differences as {pk: {field: (stored, counted)}}."""
    expressions = _counts(table)
    counted = {f"counted_{field}": expression for field, expression in expressions.items()}
    differs = Q(*(~Q(**{f"counted_{field}": F(field)}) for field in expressions), _connector=Q.OR)
    rows = table._base_manager.filter(pk__in=list(pks)).annotate(**counted).filter(differs)
    wrong: dict[int, dict[str, tuple[int, int]]] = {}
    for row in rows.values("pk", *expressions, *counted):
        pairs = {field: (row[field], row[f"counted_{field}"]) for field in expressions}
        wrong[row["pk"]] = {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
    if wrong:
        logger.warning("Usage counts of %s were wrong: %s", table._meta.label, wrong)
        table._base_manager.filter(pk__in=wrong).update(**expressions)
    return wrong


def recount_all() -> int:
    """Recount everything that counts usage; return how many rows had to be corrected.

    Rows that are being deleted are left alone: what they count is erased before them.
    """
    kept = {
        Dataset: Dataset.objects.exclude(status=DatasetStatus.DELETING),
        AnnotationData: AnnotationData.objects.exclude(
            Q(status=AnnotationDataStatus.DELETING) | Q(dataset__status=DatasetStatus.DELETING)
        ),
        TrainingTask: TrainingTask.objects.alive(),
        AnnotationProject: AnnotationProject.objects.alive(),
    }
    corrected = 0
    for table, rows in kept.items():
        for pks in in_chunks(list(rows.values_list("pk", flat=True)), AT_A_TIME):
            corrected += len(recount(table, pks))
    return corrected
