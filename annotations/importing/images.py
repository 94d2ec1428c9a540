"""The images of a dataset, as label files may refer to them."""

from __future__ import annotations

from annotations.formats.images import Images
from annotations.images import COLUMNS, image_ref
from datasets.models import Image

ROWS_AT_A_TIME = 5_000


def images_of(dataset_id: int) -> Images:
    """Return all images of a dataset in display order; nothing of a row is held but what labels refer to."""
    rows = Image.objects.filter(dataset=dataset_id).order_by("study__position", "study", "position", "pk")
    images = Images()
    for row in rows.values_list(*COLUMNS).iterator(chunk_size=ROWS_AT_A_TIME):
        images.add(image_ref(*row))
    return images
