"""The counts that stand on the rows: of annotation data, of their labels, of each listed image, and its place.

Statements are set-based and transactions short: while a worker counts a million images nobody waits for it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Q

from annotations.models import AnnotatedImage, AnnotationData, AnnotationDataStatus, AnnotationType, Label
from datasets.models import Dataset
from deepcap.common.bulk import update_rows
from deepcap.common.chunks import in_chunks
from deepcap.common.sql import assign

from .display import in_display_order
from .pages import Beat, annotations_of, by_index, items_of, pages

ROWS_PER_UPDATE = 5_000


def count(annotation_data_id: int, *, beat: Beat | None = None) -> dict[str, int]:
    """All stored counts and positions of the annotation data are what their rows say; return how many differed.

    Keys: "positions" and "images" (rows of AnnotatedImage), "labels", "totals" (fields of the AnnotationData).
    An image's and a label's images are those that *have* something; annotations of the data and of a label are rows,
    so that a class which an image has not (value 0) is counted too. ``beat`` is called between the pieces of work.
    """
    data = AnnotationData.objects.get(pk=annotation_data_id)
    moved, studies, images = _place(data, beat=beat)
    label_images: Counter[int] = Counter()
    label_rows: Counter[int] = Counter()
    recounted = 0
    for page in pages(data.pk, beat=beat):
        with by_index():
            recounted += _count_images(data, page)
            for label, having, rows in _count_labels(data, page):
                label_images[label] += having
                label_rows[label] += rows
    totals = {"study_count": studies, "image_count": images, "annotation_count": label_rows.total()}
    with transaction.atomic():
        differing = _write_labels(data.pk, label_images, label_rows)
        stored = AnnotationData.objects.filter(pk=data.pk).values(*totals).first() or {}
        wrong = [field for field, value in totals.items() if stored.get(field, value) != value]
        if wrong:
            AnnotationData.objects.filter(pk=data.pk).update(**totals)
    return {"positions": moved, "images": recounted, "labels": differing, "totals": len(wrong)}


def count_of_dataset(dataset_id: int) -> None:
    """The dataset's number of annotation data is right. Call it in the transaction that adds or hides some.

    The dataset's row is locked before they are counted, so that of two that come at once the second sees the first.
    """
    Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).first()
    alive = AnnotationData.objects.filter(dataset=dataset_id).exclude(status=AnnotationDataStatus.DELETING)
    Dataset.objects.filter(pk=dataset_id).update(annotation_data_count=alive.count())


def _place(data: AnnotationData, *, beat: Beat | None) -> tuple[int, int, int]:
    """Number the images in display order; return how many were elsewhere, the number of studies, and of images."""
    keys, places = array("q"), array("q")
    studies, images, latest = 0, 0, None
    for images, (pk, position, study) in enumerate(in_display_order(data, beat=beat), start=1):
        if position != images - 1:
            keys.append(pk)
            places.append(images - 1)
        if study != latest:
            studies, latest = studies + 1, study
    _assign("position", zip(keys, places, strict=True), beat=beat)
    return len(keys), studies, images


def _count_images(data: AnnotationData, page: tuple[int, int]) -> int:
    """Write the counts of a page's images that are wrong; return their number."""
    positive = annotations_of(data.pk, page)
    if data.annotation_type == AnnotationType.MULTI_LABEL:
        positive = positive.filter(value=1)
    counted = dict(positive.values_list("item").annotate(times=Count("pk")))
    stored = items_of(data.pk, page).values_list("pk", "annotation_count")
    wrong = [(pk, counted.get(pk, 0)) for pk, number in stored if counted.get(pk, 0) != number]
    _assign("annotation_count", wrong)
    return len(wrong)


def _count_labels(data: AnnotationData, page: tuple[int, int]) -> Iterable[tuple[int, int, int]]:
    """Return (label, images that have it, rows) of a page; pages share no image, so these can be added up."""
    has = Q(value=1) if data.annotation_type == AnnotationType.MULTI_LABEL else None
    having = Count("item", distinct=True, filter=has)
    return annotations_of(data.pk, page).values_list("label").annotate(having=having, rows=Count("pk"))


def _write_labels(annotation_data_id: int, images: Counter[int], rows: Counter[int]) -> int:
    """Write the counts of labels that are wrong; return their number."""
    wrong: list[tuple[int, dict[str, int]]] = []
    stored = Label.objects.filter(annotation_data=annotation_data_id)
    for pk, *counts in stored.values_list("pk", "image_count", "annotation_count"):
        if counts != [images[pk], rows[pk]]:
            wrong.append((pk, {"image_count": images[pk], "annotation_count": rows[pk]}))
    update_rows(Label, wrong)
    return len(wrong)


def _assign(field: str, values: Iterable[tuple[int, int]], *, beat: Beat | None = None) -> None:
    for chunk in in_chunks(values, ROWS_PER_UPDATE):
        if beat is not None:
            beat()
        assign(AnnotatedImage, field, chunk)
