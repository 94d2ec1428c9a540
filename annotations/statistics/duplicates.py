"""The same picture listed more than once, and not always with the same labels."""

from __future__ import annotations

from array import array
from collections import defaultdict

import numpy as np
from django.db.models import Q

from datasets.models.image import Duplicate
from deepcap.common.groups import torn

from .pages import Beat, annotations_of, by_index, items_of, pages


def contradicting_duplicates(annotation_data_id: int, *, beat: Beat | None = None) -> list[tuple[int, int]]:
    """Return (position, id) of the images, by position, whose bytes are listed with different sets of labels.

    Read a page at a time, so that no statement takes long whatever the database knows of the tables: 32 bytes stay in
    memory for each image that has a duplicate. Sets of labels are compared by a hash of 64 bits.
    """
    positions, items, blobs, said = array("q"), array("q"), array("q"), array("q")
    for page in pages(annotation_data_id, beat=beat):
        with by_index():
            listed = items_of(annotation_data_id, page).filter(image__duplicate=Duplicate.BYTES)
            rows = list(listed.values_list("position", "pk", "image__blob"))
            labels = _labels(annotation_data_id, page) if rows else {}
        for position, item, blob in rows:
            positions.append(position)
            items.append(item)
            blobs.append(blob)
            said.append(hash(frozenset(labels.get(item, ()))))
    contradicting = torn(np.array(blobs, np.int64), np.array(said, np.int64))
    return sorted((positions[place], items[place]) for place in contradicting)


def _labels(annotation_data_id: int, page: tuple[int, int]) -> dict[int, set[int]]:
    """Return the labels that the page's images with duplicates have; classes with value 0 are not had."""
    has = Q(value=None) | Q(value__gt=0)
    rows = annotations_of(annotation_data_id, page).filter(has, item__image__duplicate=Duplicate.BYTES)
    labels: dict[int, set[int]] = defaultdict(set)
    for item, label in rows.values_list("item", "label"):
        labels[item].add(label)
    return labels
