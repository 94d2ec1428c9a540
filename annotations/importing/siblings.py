"""A file may hold several sets of labels: the first is the import's own, the others get imports of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import transaction

from annotations.formats.base import LabelSet
from annotations.models import AnnotationData, LabelImport, SourceKind

from .creation import create
from .sets import to_json


@transaction.atomic
def settle_sets(
    work: LabelImport, sets: Sequence[LabelSet], *, file_count: int, hold: Callable[..., None]
) -> list[int]:
    """Note which set the import is of, and make an import for each of the others; return their ids.

    One transaction, so that an import which runs again finds its set noted and makes no second ones.
    """
    own, *others = sets
    options = {**work.options, "set": to_json(own, all_files=file_count)}
    hold(options=options, file_format=own.format)
    work.options = options
    data = AnnotationData.objects.select_related("dataset").get(pk=work.annotation_data_id)
    made = []
    for other in others:
        sibling = create(
            dataset=data.dataset,
            name=data.name,
            by=data.created_by,
            annotation_type=other.annotation_type or "",
            source_kind=SourceKind(data.source_kind),
            source_detail=data.source_detail,
        )
        made.append(
            LabelImport.objects.create(
                dataset=data.dataset,
                annotation_data=sibling,
                blob_id=work.blob_id,
                filename=work.filename,
                file_format=other.format,
                options={**work.options, "set": to_json(other, all_files=file_count)},
                requested_by=work.requested_by,
            ).pk
        )
    return made
