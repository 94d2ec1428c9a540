"""Annotation data in pieces: so many images at a time that a statement takes a moment, in the order of display."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from annotations.models import AnnotatedImage, Annotation

IMAGES_PER_PAGE = 5_000

Beat = Callable[[], object]


def pages(annotation_data_id: int, *, beat: Beat | None = None) -> Iterator[tuple[int, int]]:
    """Yield ranges of positions, first and last, that together hold every listed image; ``beat`` is called for each."""
    highest = AnnotatedImage.objects.filter(annotation_data=annotation_data_id).aggregate(to=Max("position"))["to"]
    for first in range(0, -1 if highest is None else highest + 1, IMAGES_PER_PAGE):
        if beat is not None:
            beat()
        yield first, first + IMAGES_PER_PAGE - 1


@contextmanager
def by_index() -> Iterator[None]:
    """Have the statements in the block find a page's annotations by its images, through the index.

    PostgreSQL takes a page of 5,000 images for so much of a million rows that it reads all of them, for every page:
    measured, ten times slower. The setting ends with the transaction that this block is, or is part of.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        yield


def items_of(annotation_data_id: int, page: tuple[int, int]) -> QuerySet[AnnotatedImage]:
    return AnnotatedImage.objects.filter(annotation_data=annotation_data_id, position__range=page).order_by()


def annotations_of(annotation_data_id: int, page: tuple[int, int]) -> QuerySet[Annotation]:
    """Select the annotations of a page's images, in no order."""
    items = {"item__annotation_data": annotation_data_id, "item__position__range": page}
    return Annotation.objects.filter(**items).order_by()
