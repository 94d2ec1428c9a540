"""Masks of labels that have become one: united where a mask stands for a whole class of an image."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from django.db.models import Count

from annotations.formats.masks import Mask, union
from annotations.models import AnnotatedImage, Annotation, Kind
from annotations.statistics.pages import Beat, annotations_of, by_index, pages
from deepcap.common.bulk import insert_rows

from .statements import Copy

FIELDS = (
    *("item", "label", "kind", "x", "y", "width", "height", "area"),
    *("counts", "polygons", "score", "frame", "extra"),
)


def merged_labels(copy: Copy) -> set[int]:
    """Return the new labels that are made of more than one."""
    times = Counter(new for _old, new in copy.labels)
    return {new for new, number in times.items() if number > 1}


def is_per_class(annotation_data_id: int, *, beat: Beat) -> bool:
    """Tell whether no image (or frame) has two masks of one label: then a mask is a class, not an object."""
    for page in pages(annotation_data_id, beat=beat):
        masks = annotations_of(annotation_data_id, page).values("item", "label", "frame").annotate(times=Count("pk"))
        with by_index():
            if masks.filter(times__gt=1).exists():
                return False
    return True


def copy_united(copy: Copy, piece: tuple[int, int], new_labels: set[int]) -> None:
    """Copy the masks of a piece that become one of ``new_labels``: one for each image, frame and label.

    A mask that finds no other to unite with is copied as it is.
    """
    becomes = defaultdict(list)
    for old, new in copy.only(new_labels).labels:
        becomes[old].append(new)
    listed = AnnotatedImage.objects.filter(annotation_data=copy.target_id, position__range=piece)
    items = dict(listed.values_list("image", "pk"))
    masks = annotations_of(copy.source_id, piece).filter(kind=Kind.MASK, label__in=becomes)
    groups: dict[tuple[int, int, int], list[Annotation]] = {}
    for mask in masks.select_related("item__image").order_by("pk"):
        for new in becomes[mask.label_id]:
            groups.setdefault((items[mask.item.image_id], new, mask.frame), []).append(mask)
    insert_rows(Annotation, FIELDS, [_row(*key, group) for key, group in groups.items()])


def _row(item: int, label: int, frame: int, masks: list[Annotation]) -> tuple[Any, ...]:
    first = masks[0]
    scores = [mask.score for mask in masks if mask.score is not None]
    score = max(scores, default=None)
    if len(masks) == 1:
        box = (first.x, first.y, first.width, first.height)
        kept = (first.area, first.counts, first.polygons, score, frame, first.extra)
        return (item, label, Kind.MASK.value, *box, *kept)
    height, width = first.item.image.height, first.item.image.width
    united = union(Mask(height, width, mask.counts) for mask in masks)
    return (item, label, Kind.MASK.value, *united.bbox, united.area, united.counts, None, score, frame, None)
