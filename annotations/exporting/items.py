"""Listed images with their annotations, in display order, as the writers of the formats take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from annotations.formats.base import ItemOut, LabelInfo, OutAnnotation
from annotations.formats.masks import Mask
from annotations.images import COLUMNS, image_ref
from annotations.models import AnnotatedImage, Annotation, AnnotationData, Kind, Split, SplitMember

IMAGES_PER_QUERY = 500
ANNOTATIONS_PER_QUERY = 2_000

ANNOTATION_COLUMNS = (
    *("item", "label__name", "kind", "value", "x", "y", "width", "height"),
    *("counts", "polygons", "score", "frame", "extra"),
)


class PartOf(NamedTuple):
    """One of the parts of a split, by its place among them."""

    split: Split
    place: int

    @property
    def name(self) -> str:
        return self.split.part_names[self.place]

    @property
    def image_count(self) -> int:
        return self.split.report["parts"][self.place]["images"]


class Vanished(RuntimeError):
    """Rows went away while they were being exported: what has been sent is not the whole."""


def labels_of(data: AnnotationData) -> list[LabelInfo]:
    return [LabelInfo(label.name, label.extra) for label in data.labels.order_by("position")]


def listed_of(data: AnnotationData, part: PartOf | None = None) -> QuerySet[AnnotatedImage]:
    """Select the listed images, or those of a part, in display order."""
    listed = AnnotatedImage.objects.filter(annotation_data=data).order_by("position", "pk")
    if part is None:
        return listed
    members = SplitMember.objects.filter(split=part.split, study=OuterRef("image__study"), part=part.place)
    return listed.filter(Exists(members))


def items_of(data: AnnotationData, part: PartOf | None = None) -> Iterator[ItemOut]:
    """Yield every listed image, or those of a part, with its annotations in the order in which they came in.

    Holds some thousand annotations at a time, or those of one image where it has more. Raises Vanished at the end
    when there were fewer images than the data are said to list.
    """
    exported = 0
    for item in _items(listed_of(data, part)):
        yield item
        exported += 1
    expected = data.image_count if part is None else part.image_count
    if exported != expected:
        raise Vanished(f"Annotation data {data.pk} list {expected} images, of which {exported} were exported.")


def _items(listed: QuerySet[AnnotatedImage]) -> Iterator[ItemOut]:
    columns = [f"image__{column}" for column in COLUMNS]
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
