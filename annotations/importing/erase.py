"""An import that starts, or starts again, finds its annotation data empty."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models, transaction

from annotations.models import AnnotatedImage, Annotation, Label, LabelImport, LabelProblem, Statistics
from deepcap.common.chunks import in_chunks

IMAGES_PER_TRANSACTION = 500
ROWS_PER_TRANSACTION = 5_000
IDS_PER_QUERY = 100_000


def empty(work: LabelImport, *, beat: Callable[[], None]) -> None:
    """Erase what an earlier attempt has left in the annotation data; ``beat`` is called in each transaction."""
    data = work.annotation_data_id
    for chunk in _ids(AnnotatedImage.objects.filter(annotation_data=data), IMAGES_PER_TRANSACTION):
        with transaction.atomic():
            _erase(Annotation.objects.filter(item__in=chunk))
            _erase(AnnotatedImage.objects.filter(pk__in=chunk))
            beat()
    for chunk in _ids(LabelProblem.objects.filter(label_import=work), ROWS_PER_TRANSACTION):
        with transaction.atomic():
            _erase(LabelProblem.objects.filter(pk__in=chunk))
            beat()
    with transaction.atomic():
        _erase(Label.objects.filter(annotation_data=data))
        _erase(Statistics.objects.filter(annotation_data=data))
        beat()


def _ids(rows: models.QuerySet, at_a_time: int):
    """Yield the ids of ``rows`` in lists; many are fetched at a time, so that no query passes over what is erased."""
    latest = 0
    while found := list(rows.filter(pk__gt=latest).order_by("pk").values_list("pk", flat=True)[:IDS_PER_QUERY]):
        yield from in_chunks(found, at_a_time)
        latest = found[-1]


def _erase(rows: models.QuerySet) -> None:
    """Erase rows that nothing points to any more, past the ORM's collector."""
    rows._raw_delete(rows.db)
