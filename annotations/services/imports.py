"""What people do to bring labels in: send a file, look at what was wrong with it, keep the good or send another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, TypedDict

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.errors import NotTheOwner
from annotations.formats import FORMATS
from annotations.formats.header import HeaderCsv
from annotations.importing.creation import create, name_in
from annotations.models import (
    AnnotationData,
    AnnotationDataStatus,
    AnnotationType,
    ImportStage,
    LabelImport,
    SourceKind,
)
from annotations.tasks import run_import
from datasets.archives.sources import ByteStream
from datasets.errors import ValueRefused, WrongState
from datasets.models import Dataset, DatasetStatus, VaultCandidate
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.leases import OPEN_STATES, WorkState

from .annotation_data import clean_name, require_owner
from .label_files import clean_filename, with_stored
from .reading_options import clean_options


class Progress(TypedDict):
    """``done`` of ``total`` bytes of the label file; ``eta_seconds`` is None while nobody can tell."""

    stage: str
    done: int
    total: int
    eta_seconds: int | None


def import_labels(
    *,
    dataset: Dataset,
    by: User,
    file: ByteStream,
    filename: str,
    name: str | None = None,
    annotation_type: str | None = None,
    file_format: str | None = None,
    options: Mapping[str, Any] | None = None,
    source_kind: SourceKind = SourceKind.LOCAL_UPLOAD,
    source_detail: Mapping[str, Any] | None = None,
    reshape: Mapping[str, Any] | None = None,
) -> AnnotationData:
    """Keep a label file and return the annotation data that are read from it, importing.

    Without ``name`` they are called after the dataset and the file. Their type is unknown ("") until the file is read,
    unless it is given. When the file holds several sets of labels, the others get annotation data of their own.
    ``reshape`` bends the labels as they are read: see ``importing.reshape``.
    Raises NotTheOwner, WrongState for a dataset that is not available, ValueRefused and LabelsRefused.
    """
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
    if dataset.status != DatasetStatus.AVAILABLE:
        raise WrongState(_("Labels can be imported once the dataset is available."))
    filename = clean_filename(filename)
    asked = _asked(annotation_type=annotation_type, file_format=file_format, options=options)
    if reshape is not None:
        asked["reshape"] = dict(reshape)
    wanted = clean_name(name) if name is not None else name_in(dataset, f"_{PurePosixPath(filename).stem}")

    def keep(blob_id: int) -> AnnotationData:
        data = create(
            dataset=dataset,
            name=wanted,
            by=by,
            annotation_type=(reshape or {}).get("annotation_type") or annotation_type or "",
            source_kind=source_kind,
            source_detail=source_detail or {"name": filename},
        )
        work = LabelImport.objects.create(
            dataset=dataset,
            annotation_data=data,
            blob_id=blob_id,
            filename=filename,
            file_format=asked["file_format"],
            options=asked,
            requested_by=by,
            sent_at=timezone.now(),
        )
        record(actor=by, action="annotation_data.import_requested", target=data, file=filename)
        run_import.delay_on_commit(work.pk)
        return data

    return with_stored(file, keep)


def keep_import(*, annotation_data: AnnotationData, by: User) -> AnnotationData:
    """Make annotation data available with what could be read. Raises NotTheOwner, and WrongState if that is nothing."""
    require_owner(annotation_data, by=by)
    with transaction.atomic():
        failed = AnnotationData.objects.filter(pk=annotation_data.pk, status=AnnotationDataStatus.IMPORT_FAILED)
        kept = failed.exclude(annotation_type="").filter(image_count__gt=0)
        if not kept.update(status=AnnotationDataStatus.AVAILABLE, status_detail=""):
            raise WrongState(_("There is nothing to keep: the import did not fail, or nothing could be read."))
        left_out = LabelImport.objects.filter(annotation_data=annotation_data).values_list("problem_count", flat=True)
        record(actor=by, action="annotation_data.kept", target=annotation_data, left_out=left_out.first() or 0)
    annotation_data.refresh_from_db()
    return annotation_data


def replace_file(
    *,
    annotation_data: AnnotationData,
    by: User,
    file: ByteStream,
    filename: str,
    options: Mapping[str, Any] | None = None,
) -> AnnotationData:
    """Start an import that had problems over, with another file. Raises NotTheOwner, WrongState and LabelsRefused.

    What the first file has brought goes when the new one is read.
    """
    require_owner(annotation_data, by=by)
    filename = clean_filename(filename)
    work = LabelImport.objects.filter(annotation_data=annotation_data).first()
    if work is None or annotation_data.status != AnnotationDataStatus.IMPORT_FAILED:
        raise _nothing_to_replace()
    asked = {key: work.options[key] for key in ("annotation_type", "file_format") if key in work.options}
    asked = _asked(**asked, options=options if options is not None else work.options.get("read"))
    asked |= {"reshape": work.options["reshape"]} if "reshape" in work.options else {}

    def keep(blob_id: int) -> AnnotationData:
        started = (
            LabelImport.objects.filter(pk=work.pk)
            .exclude(state__in=OPEN_STATES)
            .update(
                blob_id=blob_id,
                filename=filename,
                file_format=asked["file_format"],
                options=asked,
                state=WorkState.PENDING,
                stage=ImportStage.READING,
                attempts=0,
                sent_at=timezone.now(),
                row_count=0,
                total_bytes=0,
                done_bytes=0,
                problem_count=0,
                problems_by_code={},
                requested_by=by,
                created_at=timezone.now(),
                finished_at=None,
            )
        )
        failed = AnnotationData.objects.filter(pk=annotation_data.pk, status=AnnotationDataStatus.IMPORT_FAILED)
        if not started or not failed.update(
            status=AnnotationDataStatus.IMPORTING, status_detail="", annotation_type=asked["annotation_type"]
        ):
            raise _nothing_to_replace()
        if work.blob_id != blob_id:
            VaultCandidate.objects.create(blob_pk=work.blob_id)
        record(actor=by, action="annotation_data.file_replaced", target=annotation_data, file=filename)
        run_import.delay_on_commit(work.pk)
        return annotation_data

    with_stored(file, keep)
    annotation_data.refresh_from_db()
    return annotation_data


@transaction.atomic
def retry_import(*, annotation_data: AnnotationData, by: User) -> LabelImport:
    """Read the same file again from the start, after it failed. Raises NotTheOwner, and WrongState when it did not."""
    require_owner(annotation_data, by=by)
    work = LabelImport.objects.filter(annotation_data=annotation_data).first()
    failed = AnnotationData.objects.filter(pk=annotation_data.pk, status=AnnotationDataStatus.IMPORT_FAILED)
    retried = work and LabelImport.objects.filter(pk=work.pk).exclude(state__in=OPEN_STATES).update(
        state=WorkState.PENDING, stage=ImportStage.READING, attempts=0, sent_at=timezone.now(), finished_at=None
    )
    if not retried or not failed.update(status=AnnotationDataStatus.IMPORTING, status_detail=""):
        raise WrongState(_("This import did not fail."))
    record(actor=by, action="annotation_data.import_retried", target=annotation_data)
    run_import.delay_on_commit(work.pk)
    work.refresh_from_db()
    return work


def progress_of(annotation_data: AnnotationData) -> Progress:
    """Return how far the import is; annotation data that were not imported, or are settled, are done."""
    work: LabelImport | None = getattr(annotation_data, "label_import", None)
    if work is None or annotation_data.status != AnnotationDataStatus.IMPORTING:
        total = work.total_bytes if work else 0
        done = annotation_data.status != AnnotationDataStatus.IMPORTING
        return {
            "stage": "done" if done else "queued",
            "done": total,
            "total": total,
            "eta_seconds": 0 if done else None,
        }
    if work.state == WorkState.PENDING:
        return {"stage": "queued", "done": 0, "total": work.total_bytes, "eta_seconds": None}
    eta = None
    if work.stage == ImportStage.READING and work.done_bytes > 0 and work.sent_at is not None:
        elapsed = (timezone.now() - work.sent_at).total_seconds()
        eta = max(0, round(elapsed * (work.total_bytes - work.done_bytes) / work.done_bytes))
    return {"stage": work.stage, "done": work.done_bytes, "total": work.total_bytes, "eta_seconds": eta}


def _asked(
    *, annotation_type: str | None = None, file_format: str | None = None, options: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the owner has said about the file, for ``LabelImport.options``. Raises ValueRefused."""
    if annotation_type and annotation_type not in AnnotationType.values:
        raise ValueRefused("annotation_type", _("There is no such annotation type."), code="type_unknown")
    if not file_format and options and "columns" in options:
        file_format = HeaderCsv.key  # nothing else has columns to be told
    if file_format and file_format not in {form.key for form in FORMATS}:
        raise ValueRefused("file_format", _("There is no such label format."), code="label_format_unknown")
    return {
        "asked": True,
        "annotation_type": annotation_type or "",
        "file_format": file_format or "",
        "read": clean_options(options),
    }


def _nothing_to_replace() -> WrongState:
    return WrongState(_("Only the file of an import that had problems can be replaced."))
