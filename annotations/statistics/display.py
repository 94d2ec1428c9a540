"""The listed images in the order in which they are shown, which the rows of other tables decide."""

from __future__ import annotations

from collections.abc import Iterator

from annotations.models import AnnotatedImage, AnnotationData
from datasets.models import Study

from .pages import Beat, by_index

DISPLAY_ORDER = ("image__study__position", "image__study_id", "image__position", "image_id")
SORTED_AT_ONCE = 20_000
STUDIES_PER_PAGE, IMAGES_PER_PIECE = 5_000, 10_000


def in_display_order(data: AnnotationData, *, beat: Beat | None = None) -> Iterator[tuple[int, int, int]]:
    """Yield (id, stored position, study) of the listed images, by statements that take a moment each.

    A few are sorted by the database; many are read study after study, so that nothing has to be sorted.
    """
    listed = AnnotatedImage.objects.filter(annotation_data=data.pk).order_by(*DISPLAY_ORDER)
    rows = listed.values_list("pk", "position", "image__study")
    if listed.order_by()[: SORTED_AT_ONCE + 1].count() <= SORTED_AT_ONCE:
        yield from rows
        return
    for positions in _pieces(data.dataset_id):
        if beat is not None:
            beat()
        with by_index():
            page = list(rows.filter(image__study__dataset=data.dataset_id, image__study__position__range=positions))
        yield from page


def _pieces(dataset_id: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of positions, first and last, of studies with some thousands of images in all."""
    studies = Study.objects.filter(dataset=dataset_id).order_by("position").values_list("position", "image_count")
    first = 0
    while page := list(studies.filter(position__gte=first)[:STUDIES_PER_PAGE]):
        images = 0
        for position, count in page:
            images += count
            if images >= IMAGES_PER_PIECE:
                yield first, position
                first, images = position + 1, 0
        if first <= page[-1][0]:
            yield first, page[-1][0]
            first = page[-1][0] + 1
