"""All images of a dataset, however many, by statements that take a moment each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from datasets.models import Image

IMAGES_PER_PAGE = 10_000

Beat = Callable[[], None]


def image_pages(dataset_id: int, *fields: str, beat: Beat | None = None) -> Iterator[list[tuple[Any, ...]]]:
    """Yield tuples of path and ``fields`` in the order of the paths, which the database has an index of, in pages.

    ``beat`` is called before each page.
    """
    images = Image.objects.filter(dataset=dataset_id).order_by("path").values_list("path", *fields)
    page: list[tuple[Any, ...]] | None = None
    while page is None or len(page) == IMAGES_PER_PAGE:
        if beat is not None:
            beat()
        page = list((images.filter(path__gt=page[-1][0]) if page else images)[:IMAGES_PER_PAGE])
        if page:
            yield page
