"""The images of an inference job: what is true of each beside what was predicted, filtered, sorted, in pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from annotations.console.grid import MOST_BADGES, MOST_DRAWN, Tile, tiles_of
from annotations.console.overlays import REVALIDATED
from annotations.console.paging import CountedPaginator
from annotations.formats.masks import Mask
from annotations.models import AnnotatedImage, AnnotationData
from annotations.services.overlays import Colored, draw_masks
from annotations.statistics import color_of
from datasets.api.streams import picture, unchanged
from datasets.console.access import ConsoleView, size_of_page
from datasets.imaging.examine import middle_frame
from datasets.models import Image
from usage.models import Evaluation, InferenceJob, Outcome, PredictedImage
from usage.services.evaluations import predicted_images

from .kinds import INFERENCES

PAGE_SIZES = (12, 24, 48)
OUTCOMES = {"right": Outcome.RIGHT, "wrong": Outcome.WRONG, "unknown": Outcome.UNKNOWN}
ORDERINGS = {
    "position": gettext_lazy("Study name"),
    "-score": gettext_lazy("Most confident"),
    "score": gettext_lazy("Least confident"),
}


@dataclass(frozen=True)
class Shown:
    """One annotation as it is drawn: ``said`` as it is kept, in the colour of its label."""

    said: Mapping[str, Any]
    color: str


@dataclass(frozen=True)
class Pair:
    """An image, the tile of its ground truth (None: it lists the image not), and what was predicted of it."""

    row: PredictedImage
    url: str
    truth: Tile | None
    badges: Sequence[Shown]
    more_badges: int
    boxes: Sequence[Shown]
    has_masks: bool
    labels: Sequence[str]


def predictions_of(
    request: HttpRequest, job: InferenceJob, evaluation: Evaluation, *, made: AnnotationData | None
) -> dict[str, Any]:
    """Return what the grid's template needs: a page of pairs in a number of queries that does not grow with it."""
    asked, ordering = request.GET.get("outcome", ""), request.GET.get("ordering", "")
    asked = asked if asked in OUTCOMES else ""
    ordering = ordering if ordering in ORDERINGS else "position"
    counts = {
        "": evaluation.image_count,
        "right": evaluation.right_count,
        "wrong": evaluation.wrong_count,
        "unknown": evaluation.image_count - evaluation.judged_count,
    }
    rows = predicted_images(job, outcome=OUTCOMES.get(asked))
    column = F(ordering.removeprefix("-"))
    order = column.desc(nulls_last=True) if ordering.startswith("-") else column.asc(nulls_last=True)
    rows = rows.select_related("image__study", "image__blob").order_by(order, "pk")
    size = size_of_page(request, PAGE_SIZES, default=PAGE_SIZES[0])
    page = CountedPaginator(rows, size, count=counts[asked]).get_page(request.GET.get("page"))
    return {
        "page_obj": page,
        "page_sizes": PAGE_SIZES,
        "pairs": pairs_of(job, list(page.object_list), made=made),
        "outcome": asked,
        "outcomes": [(key, value.label, counts[key]) for key, value in OUTCOMES.items() if counts[key] or key == asked],
        "image_ordering": ordering,
        "image_orderings": ORDERINGS.items(),
    }


def pairs_of(job: InferenceJob, rows: Sequence[PredictedImage], *, made: AnnotationData | None) -> list[Pair]:
    """Return the rows with the ground truth of their images, and in the colours of the model's labels."""
    truth: dict[int, Tile] = {}
    if job.ground_truth_id is not None:
        listed = AnnotatedImage.objects.filter(
            annotation_data=job.ground_truth_id, image__in=[row.image_id for row in rows]
        )
        listed = listed.select_related("image__study", "image__blob")
        truth = {tile.row.image_id: tile for tile in tiles_of(list(listed))}
    colors = colors_of(job)
    sets = [pk for pk in (job.ground_truth_id, made.pk if made else None) if pk is not None]
    return [_pair(row, truth.get(row.image_id), colors, sets) for row in rows]


def colors_of(job: InferenceJob) -> dict[str, str]:
    """Return the colours of labels by name: those of the ground truth, else of what the model was trained on."""
    data = job.ground_truth or job.training_task.annotation_data
    return dict(data.labels.values_list("name", "color"))


class PredictionOverlay(ConsoleView):
    """The predicted masks of an image over its thumbnail."""

    def get(self, request: HttpRequest, pk: int, image_pk: int) -> HttpResponse:
        job = INFERENCES.get_or_404(request, pk)
        row = predicted_images(job).filter(image=image_pk).select_related("image").first()
        if row is None:
            raise Http404
        colors = colors_of(job)
        shown = [each for each in _shown(row, colors) if "counts" in each.said]
        etag = (
            f'"{hashlib.sha256(repr([(each.said["counts"], each.color) for each in shown]).encode()).hexdigest()[:32]}"'
        )
        response = unchanged(request, etag) or picture(_draw(row.image, shown), content_type="image/png", etag=etag)
        response.headers["Cache-Control"] = REVALIDATED
        return response


def _draw(image: Image, shown: Sequence[Shown]) -> bytes:
    masks = [Colored(Mask(image.height, image.width, each.said["counts"]), each.color) for each in shown]
    return draw_masks(masks, width=image.width, height=image.height)


def _pair(row: PredictedImage, truth: Tile | None, colors: Mapping[str, str], sets: Sequence[int]) -> Pair:
    said = [each for each in row.said if each.get("value") != 0]
    classes = [Shown(each, _color(each, colors)) for each in said if "bbox" not in each]
    shown = _shown(row, colors)
    query = urlencode([("image", row.image_id), *(("annotation_data", pk) for pk in sets)])
    return Pair(
        row=row,
        url=f"{reverse('viewer-study', args=[row.image.study_id])}?{query}",
        truth=truth,
        badges=classes[:MOST_BADGES],
        more_badges=max(0, len(classes) - MOST_BADGES),
        boxes=[each for each in shown if "bbox" in each.said and "counts" not in each.said],
        has_masks=any("counts" in each.said for each in shown),
        labels=sorted({each["label"] for each in said}),
    )


def _shown(row: PredictedImage, colors: Mapping[str, str]) -> list[Shown]:
    """Return what is drawn on the frame that the thumbnail shows, the most confident first."""
    frames = (0, middle_frame(row.image.frames) + 1)
    there = [each for each in row.said if each.get("frame", 0) in frames and each.get("value") != 0]
    there.sort(key=lambda each: -each.get("score", 1))
    return [Shown(each, _color(each, colors)) for each in there[:MOST_DRAWN]]


def _color(said: Mapping[str, Any], colors: Mapping[str, str]) -> str:
    """Return the colour of a label; one that nobody knew before gets one by its name, the same every time."""
    known = colors.get(said["label"])
    return known or color_of(int(hashlib.sha256(said["label"].encode()).hexdigest()[:4], 16) % 24)
