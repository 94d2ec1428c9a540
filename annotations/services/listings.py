"""What people look at: annotation data with all that a row or a page tells, and pages of the images they list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from annotations.models import AnnotatedImage, Annotation, AnnotationData, Label
from annotations.statistics.problems import PROBLEMS, having
from datasets.models import Dataset
from deepcap.accounts.models import User

RARE = 5_000  # images: up to here a label's images are found by the label, beyond by walking in display order
_CURSOR = re.compile(r"(-?)(\d{1,10})\.(\d{1,19})")
Ordering = Literal["position", "-position", "annotation_count", "-annotation_count"]
ORDERINGS: tuple[Ordering, ...] = ("position", "-position", "annotation_count", "-annotation_count")


class NoCursor(ValueError):
    """The text is not a cursor of a list of images."""


@dataclass(frozen=True)
class Cursor:
    """A place in a list of images: what follows, or precedes, the row with this value of the sort field and this id."""

    backwards: bool
    value: int
    pk: int

    @classmethod
    def parse(cls, text: str) -> Cursor:
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise NoCursor(text)
        return cls(bool(match[1]), int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{'-' if self.backwards else ''}{self.value}.{self.pk}"


@dataclass(frozen=True)
class ImageFilter:
    """Which of the listed images: with any of ``labels``, with the problem of this code, or with nothing to label."""

    labels: tuple[str, ...] = ()
    problem: str = ""
    nothing: bool = False

    def __bool__(self) -> bool:
        return bool(self.labels or self.problem or self.nothing)


@dataclass(frozen=True)
class ImagePage:
    rows: Sequence[AnnotatedImage]
    previous: Cursor | None
    next: Cursor | None


def annotation_data_of(user: User) -> QuerySet[AnnotationData]:
    """Select the annotation data this person may see, with what rows and pages tell of each."""
    rows = AnnotationData.objects.visible_to(user)
    return rows.select_related("dataset__owner", "label_import", "derivation__source", "statistics").prefetch_related(
        "labels"
    )


def annotation_data_of_dataset(dataset: Dataset, user: User) -> QuerySet[AnnotationData]:
    """Select those of one dataset, newest first."""
    return annotation_data_of(user).filter(dataset=dataset).order_by("-created_at", "-pk")


def images_of(annotation_data: AnnotationData, only: ImageFilter | None = None) -> QuerySet[AnnotatedImage]:
    """Select listed images. Labels that do not exist select nothing; so do problems nobody looks for."""
    rows = AnnotatedImage.objects.filter(annotation_data=annotation_data)
    if not only:
        return rows
    if only.nothing:
        rows = rows.filter(annotation_count=0)
    if only.problem:
        rows = having(rows, only.problem) if only.problem in PROBLEMS else rows.none()
    if only.labels:
        rows = _with_any_label(rows, list(_labels_named(annotation_data, only.labels)))
    return rows


def count_of(annotation_data: AnnotationData, only: ImageFilter) -> int | None:
    """Return how many images the filter selects where that is stored, otherwise None; nothing is counted here."""
    if not only:
        return annotation_data.image_count
    if only == ImageFilter(labels=only.labels[:1]):
        label = _labels_named(annotation_data, only.labels).first()
        return label.image_count if label else 0
    if only == ImageFilter(nothing=True) and hasattr(annotation_data, "statistics"):
        return annotation_data.statistics.numbers.get("totals", {}).get("negatives")
    return None


def page_of_images(
    rows: QuerySet[AnnotatedImage], *, size: int, cursor: Cursor | None = None, ordering: Ordering = "position"
) -> ImagePage:
    """Return ``size`` images after the cursor, or before it, with their image, study and picture: one query."""
    field, descending = ordering.removeprefix("-"), ordering.startswith("-")
    backwards = cursor is not None and cursor.backwards
    down = descending != backwards
    if cursor is not None:
        beyond = "lt" if down else "gt"
        # The first condition is implied by the second; it is there for the index.
        rows = rows.filter(**{f"{field}__{beyond}e": cursor.value}).filter(
            Q(**{f"{field}__{beyond}": cursor.value}) | Q(**{f"pk__{beyond}": cursor.pk})
        )
    order = (f"-{field}", "-pk") if down else (field, "pk")
    found = list(rows.select_related("image__study", "image__blob").order_by(*order)[: size + 1])
    page, more = found[:size], len(found) > size
    if backwards:
        page.reverse()
    has_previous, has_next = (more, True) if backwards else (cursor is not None, more)
    return ImagePage(
        rows=page,
        previous=Cursor(True, getattr(page[0], field), page[0].pk) if page and has_previous else None,
        next=Cursor(False, getattr(page[-1], field), page[-1].pk) if page and has_next else None,
    )


def annotations_of(
    rows: Sequence[AnnotatedImage], *, at_most: int | None = None, with_masks: bool = True
) -> dict[int, list[Annotation]]:
    """Return the annotations of these listed images by the row's id, each with its label: one query.

    ``at_most`` is how many of one image; without masks their run lengths and polygons are left in the database.
    """
    found = Annotation.objects.filter(item__in=[row.pk for row in rows]).select_related("label").defer("polygons")
    if not with_masks:
        found = found.defer("counts", "polygons")
    if at_most is not None:
        place = Window(RowNumber(), partition_by=F("item"), order_by="pk")
        found = found.annotate(place=place).filter(place__lte=at_most)
    by_row: dict[int, list[Annotation]] = {}
    for annotation in found.order_by("item", "pk"):
        by_row.setdefault(annotation.item_id, []).append(annotation)
    return by_row


def positive(annotations: QuerySet[Annotation]) -> QuerySet[Annotation]:
    """Leave out what says that an image does not have a label."""
    return annotations.filter(Q(value=None) | Q(value__gt=0))


def _labels_named(annotation_data: AnnotationData, names: Sequence[str]) -> QuerySet[Label]:
    possible = [name for name in names if "\x00" not in name]  # PostgreSQL refuses to look for another
    return Label.objects.filter(annotation_data=annotation_data, name__in=possible)


def _with_any_label(rows: QuerySet[AnnotatedImage], labels: Sequence[Label]) -> QuerySet[AnnotatedImage]:
    if sum(label.image_count for label in labels) <= RARE:
        return rows.filter(pk__in=positive(Annotation.objects.filter(label__in=labels)).values("item"))
    return rows.filter(Exists(positive(Annotation.objects.filter(item=OuterRef("pk"), label__in=labels))))
