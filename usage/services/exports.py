"""Predictions of an inference job, or the results of a project, become annotation data of the dataset they are about.

These stand on their own from then on. They say where they come from by value: the job or project may be deleted.
"""

from __future__ import annotations

from typing import BinaryIO

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
    file: BinaryIO | None = None,
    filename: str = "",
    file_format: str | None = None,
) -> AnnotationData:
    """Return annotation data, importing, from ``file``, or from the predictions that were handed in.

    Raises NotTheOwner, NothingToExport, and what an import of labels raises.
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
    file: BinaryIO | None = None,
    filename: str = "",
    file_format: str | None = None,
) -> AnnotationData:
    """Return annotation data, importing, from ``file``, or from the results that were handed in.

    Raises NotTheOwner, NothingToExport, and what an import of labels raises.
    """
    require_owner(project, by)
    key = None
    if file is None and project.results is not None:
        key, filename, file_format = project.results.original_key, project.results_filename, project.results_format
    types = [entry["annotation_type"] for entry in project.annotation_types]
    return _import(
        project,
        by=by,
        name=name or project.name,
        annotation_type=annotation_type or project.results_type or (types[0] if len(types) == 1 else None),
        source_kind=SourceKind.ANNOTATION_PROJECT,
        source_detail={"name": project.name, "id": project.pk},
        file=file,
        key=key,
        filename=filename,
        file_format=file_format,
    )


def _import(
    row: AnnotationProject | InferenceJob,
    *,
    by: User,
    name: str,
    annotation_type: str | None,
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
