"""Which of this room's records hang under a row that is to go: a dataset, annotation data, or one of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.db import models
from django.db.models import Q

from annotations.models import AnnotationData
from datasets.models import Dataset

from .models import AnnotationJob, AnnotationProject, InferenceJob, TrainingTask

Table = type[models.Model]

# For each kind of target: how a record of each kind points to it. The same the foreign keys say, for updates in one
# statement; a test holds it against ``common.cascade``.
WAYS: Mapping[Table, Mapping[Table, tuple[str, ...]]] = MappingProxyType(
    {
        Dataset: {
            AnnotationProject: ("dataset",),
            AnnotationJob: ("project__dataset",),
            TrainingTask: ("annotation_data__dataset",),
            InferenceJob: ("dataset", "training_task__annotation_data__dataset"),
        },
        AnnotationData: {
            TrainingTask: ("annotation_data",),
            InferenceJob: ("training_task__annotation_data",),
        },
        AnnotationProject: {AnnotationProject: ("pk",), AnnotationJob: ("project",)},
        AnnotationJob: {AnnotationJob: ("pk",)},
        TrainingTask: {TrainingTask: ("pk",), InferenceJob: ("training_task",)},
        InferenceJob: {InferenceJob: ("pk",)},
    }
)


def under(target: models.Model) -> dict[Table, models.QuerySet]:
    """Return, by kind, the records that go with ``target``, itself included; empty for what no record hangs under."""
    found: dict[Table, models.QuerySet] = {}
    for table, ways in WAYS.get(type(target), {}).items():
        condition = Q(*((way, target.pk) for way in ways), _connector=Q.OR)
        found[table] = table._base_manager.filter(condition)
    return found


@dataclass(frozen=True)
class Counted:
    """The datasets and annotation data whose stored counts count some records."""

    datasets: frozenset[int]
    annotation_data: frozenset[int]
    training_tasks: frozenset[int] = frozenset()
    projects: frozenset[int] = frozenset()


def counted_by(target: models.Model) -> Counted:
    """Return whose counts change when ``target`` and what hangs under it go or come back."""
    rows = under(target)
    datasets: set[int | None] = set()
    data: set[int | None] = set()
    tasks: set[int | None] = set()
    projects: set[int | None] = set()
    if type(target) is AnnotationData:
        datasets.add(target.dataset_id)
    if (found := rows.get(AnnotationProject)) is not None:
        datasets.update(found.values_list("dataset", flat=True))
        data.update(found.values_list("included_annotation_data", flat=True))
    if (found := rows.get(AnnotationJob)) is not None:
        for project, dataset in found.values_list("project", "project__dataset").distinct():
            projects.add(project)
            datasets.add(dataset)
    if (found := rows.get(TrainingTask)) is not None:
        for annotation_data, dataset in found.values_list("annotation_data", "annotation_data__dataset").distinct():
            data.add(annotation_data)
            datasets.add(dataset)
    if (found := rows.get(InferenceJob)) is not None:
        for task, dataset, truth in found.values_list("training_task", "dataset", "ground_truth").distinct():
            tasks.add(task)
            datasets.add(dataset)
            data.add(truth)
    sets = (frozenset(pk for pk in pks if pk is not None) for pks in (datasets, data, tasks, projects))
    return Counted(*sets)
