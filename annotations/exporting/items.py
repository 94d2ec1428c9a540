"""Listed images with their annotations, in display order, as the writers of the formats take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.formats.base import ItemOut, LabelInfo, OutAnnotation
from annotations.formats.masks import Mask
from annotations.images import COLUMNS, image_ref
from annotations.models import AnnotatedImage, Annotation, AnnotationData, Kind

IMAGES_PER_QUERY = 500
ANNOTATIONS_PER_QUERY = 2_000

ANNOTATION_COLUMNS = (
    *("item", "label__name", "kind", "value", "x", "y", "width", "height"),
    *("counts", "polygons", "score", "frame", "extra"),
)


class Vanished(RuntimeError):
    """Rows went away while they were being exported: what has been sent is not the whole."""


def labels_of(data: AnnotationData) -> list[LabelInfo]:
    return [LabelInfo(label.name, label.extra) for label in data.labels.order_by("position")]


def items_of(data: AnnotationData) -> Iterator[ItemOut]:
    """Yield every listed image with its annotations in the order in which they came in.

    Holds some thousand annotations at a time, or those of one image where it has more. Raises Vanished at the end
    when there were fewer images than the data are said to list.
    """
    exported = 0
    for item in _items(data.pk):
        yield item
        exported += 1
    if exported != data.image_count:
        raise Vanished(f"Annotation data {data.pk} list {data.image_count} images, of which {exported} were exported.")


def _items(data_id: int) -> Iterator[ItemOut]:
    columns = [f"image__{column}" for column in COLUMNS]
    listed = AnnotatedImage.objects.filter(annotation_data=data_id).order_by("position", "pk")
    rows = listed.values_list("pk", "position", "annotation_count", *columns)
    page = list(rows[:IMAGES_PER_QUERY])
    while page:
        for group in _groups(page):
            annotations = _annotations(group)
            for pk, _position, _count, *columns in group:
                image = image_ref(*columns)
                said = [_said(row, image.width, image.height) for row in annotations.get(pk, ())]
                yield ItemOut(image, said)
        page = list(rows.filter(position__gt=page[-1][1])[:IMAGES_PER_QUERY])


def _groups(page: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Cut a page so that no part has very many annotations, unless one image has."""
    group: list[tuple[Any, ...]] = []
    annotations = 0
    for row in page:
        if group and annotations + row[2] > ANNOTATIONS_PER_QUERY:
            yield group
            group, annotations = [], 0
        group.append(row)
        annotations += row[2]
    yield group


def _annotations(group: Sequence[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    rows = Annotation.objects.filter(item__in=[row[0] for row in group]).order_by("pk")
    for item, *row in rows.values_list(*ANNOTATION_COLUMNS).iterator():
        found.setdefault(item, []).append(tuple(row))
    return found


def _said(row: tuple[Any, ...], image_width: int, image_height: int) -> OutAnnotation:
    label, kind, value, x, y, width, height, counts, polygons, score, frame, extra = row
    return OutAnnotation(
        label=label,
        value=value,
        bbox=None if x is None else (x, y, width, height),
        mask=Mask(image_height, image_width, counts) if kind == Kind.MASK else None,
        polygons=polygons,
        score=score,
        frame=frame,
        extra=extra,
    )
