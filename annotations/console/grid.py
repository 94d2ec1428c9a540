"""The listed images with what is said of them: badges, boxes and masks over the thumbnails, filters, order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from annotations.models import AnnotatedImage, Annotation, AnnotationData, Kind, Label
from annotations.services.listings import (
    ORDERINGS,
    Cursor,
    ImageFilter,
    ImagePage,
    NoCursor,
    Ordering,
    annotations_of,
    count_of,
    images_of,
    page_of_images,
)
from annotations.statistics.problems import PROBLEMS
from datasets.console.access import size_of_page
from datasets.console.positions import PositionPaginator
from datasets.imaging.examine import middle_frame

from .access import viewer_of

PAGE_SIZES = (20, 50, 100)
MOST_DRAWN = 100  # annotations of one image
MOST_BADGES = 4
MOST_CHOICES = 500  # labels of a list to choose from
ORDER_NAMES = {
    "position": gettext_lazy("Study name"),
    "-annotation_count": gettext_lazy("Most annotations"),
    "annotation_count": gettext_lazy("Fewest annotations"),
}


@dataclass(frozen=True)
class Tile:
    """A listed image as the grid shows it. ``boxes`` are annotations with their label, of the frame that is shown."""

    row: AnnotatedImage
    url: str
    badges: Sequence[tuple[Label, float | None]] = ()
    more_badges: int = 0
    boxes: list[Annotation] = field(default_factory=list)
    has_masks: bool = False
    labels: Sequence[str] = ()

    @property
    def has_nothing(self) -> bool:
        return not self.row.annotation_count


@dataclass(frozen=True)
class Keyset:
    """Where a page of filtered or sorted images lies: places to go on from, and how many came before."""

    page: ImagePage
    start: int
    per_page: int
    count: int | None

    @property
    def end(self) -> int:
        return self.start + len(self.page.rows)

    @property
    def start_of_previous(self) -> int:
        return max(0, self.start - self.per_page)


def grid_of(request: HttpRequest, annotation_data: AnnotationData, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the grid's template needs: one page of images, in two queries however many there are."""
    only, ordering = filter_of(request), ordering_of(request)
    size = size_of_page(request, PAGE_SIZES, default=50)
    context: dict[str, Any] = {
        "image_filter": only,
        "image_ordering": ordering,
        "image_orderings": ORDER_NAMES.items(),
        "label_choices": _choices(annotation_data),
        "problem_choices": [(code, problem.title) for code, problem in PROBLEMS.items()],
        "page_sizes": PAGE_SIZES,
    }
    rows = images_of(annotation_data, only)
    if only or ordering != "position":
        cursor = cursor_of(request)
        page = page_of_images(rows, size=size, cursor=cursor, ordering=ordering)
        count = _count(annotation_data, only, numbers)
        start = _start(request) if cursor else 0
        context["keyset"] = Keyset(page, start, size, count)
        shown = page.rows
    else:
        paginator = PositionPaginator(
            rows.select_related("image__study", "image__blob"), size, count=annotation_data.image_count
        )
        context["page_obj"] = paginator.get_page(request.GET.get("page"))
        shown = list(context["page_obj"].object_list)
    return context | {"tiles": tiles_of(shown)}


def tiles_of(rows: Sequence[AnnotatedImage]) -> list[Tile]:
    """Return the tiles of a page: one query for all annotations, masks left out."""
    by_row = annotations_of(rows, at_most=MOST_DRAWN, with_masks=False)
    return [_tile(row, by_row.get(row.pk, [])) for row in rows]


def filter_of(request: HttpRequest) -> ImageFilter:
    query = request.GET
    return ImageFilter(
        labels=tuple(dict.fromkeys(name for name in query.getlist("label") if name)),
        problem=query.get("problem", ""),
        nothing=query.get("nothing") == "1",
    )


def ordering_of(request: HttpRequest) -> Ordering:
    asked = request.GET.get("ordering", "")
    return next((ordering for ordering in ORDERINGS if ordering == asked), "position")


def cursor_of(request: HttpRequest) -> Cursor | None:
    """Return where the page begins; a cursor that is none begins at the start."""
    try:
        return Cursor.parse(request.GET.get("cursor", ""))
    except NoCursor:
        return None


def is_shown(annotation: Annotation, row: AnnotatedImage) -> bool:
    """True for annotations of the whole image, and of the frame that the thumbnail shows."""
    return annotation.frame in (0, middle_frame(row.image.frames) + 1)


def _tile(row: AnnotatedImage, annotations: Sequence[Annotation]) -> Tile:
    said = [annotation for annotation in annotations if annotation.value != 0]
    classes = [annotation for annotation in said if annotation.kind in (Kind.SINGLE_LABEL, Kind.MULTI_LABEL)]
    shown = [annotation for annotation in said if is_shown(annotation, row)]
    return Tile(
        row=row,
        url=viewer_of(row),
        badges=[(annotation.label, annotation.score) for annotation in classes[:MOST_BADGES]],
        more_badges=max(0, len(classes) - MOST_BADGES),
        boxes=[annotation for annotation in shown if annotation.kind == Kind.BOX],
        has_masks=any(annotation.kind == Kind.MASK for annotation in shown),
        labels=_names(said),
    )


def _names(annotations: Iterable[Annotation]) -> list[str]:
    return sorted({annotation.label.name for annotation in annotations})


def _choices(annotation_data: AnnotationData) -> list[Label]:
    """Return the labels to choose from; none when they are too many for a list."""
    labels = annotation_data.labels.all()
    return list(labels) if len(labels) <= MOST_CHOICES else []


def _count(annotation_data: AnnotationData, only: ImageFilter, numbers: Mapping[str, Any]) -> int | None:
    if only.problem and only == ImageFilter(problem=only.problem):
        return next((advice["count"] for advice in numbers["advice"] if advice["code"] == only.problem), 0)
    return count_of(annotation_data, only)


def _start(request: HttpRequest) -> int:
    asked = request.GET.get("start", "")
    return int(asked) if asked.isdecimal() and len(asked) < 10 else 0
