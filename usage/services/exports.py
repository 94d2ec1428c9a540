"""Predictions of an inference job, or the results of a project, become annotation data of the dataset they are about.

These stand on their own from then on. They say where they come from by value: the job or project may be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from annotations.derive import make_plan
from annotations.models import AnnotationData, SourceKind
from annotations.services.imports import import_labels
from datasets.blobs.store import get_store
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.errors import NothingToExport
from usage.models import AnnotationProject, InferenceJob

from .rules import require_owner


def export_predictions(
    *,
    inference_job: InferenceJob,
    by: User,
    name: str | None = None,
    annotation_type: str | None = None,
    labels: Sequence[str] | None = None,
    merge: Mapping[str, Sequence[str]] | None = None,
    file: BinaryIO | None = None,
    filename: str = "",
    file_format: str | None = None,
) -> AnnotationData:
    """Return annotation data, importing, from ``file``, or from the predictions that were handed in.

    Converted to ``annotation_type``, with those of the model's ``labels`` alone, and with labels merged ({new: [old,
    …]}) where that is asked for. Raises NotTheOwner, NothingToExport, ConversionRefused, and what an import raises.
    """
    require_owner(inference_job, by)
    detail = {"name": inference_job.name, "id": inference_job.pk, "training_task": inference_job.training_task_id}
    if file is None and inference_job.predictions is not None:
        key, filename = inference_job.predictions.original_key, inference_job.predictions_filename
        file_format = inference_job.predictions_format
    else:
        key = None
    return _import(
        inference_job,
        by=by,
        name=name or inference_job.name,
        annotation_type=inference_job.training_task.annotation_type,
        reshape=reshape_of(inference_job, annotation_type=annotation_type, labels=labels, merge=merge),
        source_kind=SourceKind.INFERENCE_JOB,
        source_detail=detail,
        file=file,
        key=key,
        filename=filename,
        file_format=file_format,
    )


def export_results(
    *,
    project: AnnotationProject,
    by: User,
    name: str | None = None,
    annotation_type: str | None = None,
    labels: Sequence[str] | None = None,
    merge: Mapping[str, Sequence[str]] | None = None,
    file: BinaryIO | None = None,
    filename: str = "",
    file_format: str | None = None,
) -> AnnotationData:
    """Return annotation data, importing, from ``file``, or from the results that were handed in.

    Bent to what is asked for, as those of :func:`export_predictions`, if it is known of what type the results are: by
    what their service has said, or since the project has one type only. Raises the same.
    """
    require_owner(project, by)
    key = None
    if file is None and project.results is not None:
        key, filename, file_format = project.results.original_key, project.results_filename, project.results_format
    source_type, _names = labels_of(project)
    return _import(
        project,
        by=by,
        name=name or project.name,
        annotation_type=source_type or annotation_type,
        reshape=reshape_of(project, annotation_type=annotation_type, labels=labels, merge=merge),
        source_kind=SourceKind.ANNOTATION_PROJECT,
        source_detail={"name": project.name, "id": project.pk},
        file=file,
        key=key,
        filename=filename,
        file_format=file_format,
    )


def labels_of(row: AnnotationProject | InferenceJob) -> tuple[str | None, list[str]]:
    """Return of what type the results are, None where nobody has said, and the labels that they may have."""
    if isinstance(row, InferenceJob):
        data = row.training_task.annotation_data
        return row.training_task.annotation_type, list(data.labels.values_list("name", flat=True))
    by_type = {entry["annotation_type"]: entry["labels"] for entry in row.annotation_types}
    known = row.results_type or (next(iter(by_type)) if len(by_type) == 1 else None)
    return known, by_type.get(known, []) if known else []


def reshape_of(
    row: AnnotationProject | InferenceJob,
    *,
    annotation_type: str | None,
    labels: Sequence[str] | None,
    merge: Mapping[str, Sequence[str]] | None,
) -> dict[str, Any] | None:
    """Return how the labels are bent as they are read; None when they stay as they are. Raises ConversionRefused."""
    source_type, names = labels_of(row)
    wanted = annotation_type or source_type
    if source_type is None or wanted is None or (wanted == source_type and labels is None and not merge):
        return None
    plan = make_plan(source_type=source_type, annotation_type=wanted, names=names, labels=labels, merge=merge)
    return {"annotation_type": plan.annotation_type.value, "pairs": [list(pair) for pair in plan.pairs]}


def _import(
    row: AnnotationProject | InferenceJob,
    *,
    by: User,
    name: str,
    annotation_type: str | None,
    reshape: dict[str, Any] | None,
    source_kind: SourceKind,
    source_detail: dict[str, object],
    file: BinaryIO | None,
    key: str | None,
    filename: str,
    file_format: str | None,
) -> AnnotationData:
    wanted = {
        "dataset": row.dataset,
        "by": by,
        "filename": filename,
        "name": name,
        "annotation_type": annotation_type,
        "file_format": file_format or None,
        "source_kind": source_kind,
        "source_detail": source_detail,
        "reshape": reshape,
    }
    if file is not None:
        data = import_labels(file=file, **wanted)
    elif key is not None:
        with get_store().open(key) as stored:
            data = import_labels(file=stored, **wanted)
    else:
        raise NothingToExport
    record(actor=by, action=f"{row._meta.model_name}.exported", target=row, annotation_data=data.pk)
    return data
