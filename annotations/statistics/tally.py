"""One pass over the annotations: how many boxes lie in each interval, how much of an image each class covers, what is
odd. The database groups, a page of images at a time; only numbers come back."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Case, Count, F, FloatField, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from annotations.models import AnnotatedImage, AnnotationData, AnnotationType, Kind
from deepcap.common.chunks import in_chunks
from deepcap.common.sql import assign

from .bins import BOX_AREA, BOX_RATIO, BOXES_PER_IMAGE, COVERAGE, Bins
from .coverage import LabelOfImage, shares_together
from .duplicates import contradicting_duplicates
from .pages import Beat, annotations_of, by_index, items_of, pages
from .problems import PROBLEMS, Problem

ROWS_PER_UPDATE = 5_000


@dataclass
class Tally:
    """Counts by number of the interval; ``coverage`` by label, of the images that have it."""

    boxes_per_image: Counter[int] = field(default_factory=Counter)
    box_ratio: Counter[int] = field(default_factory=Counter)
    box_area: Counter[int] = field(default_factory=Counter)
    coverage: dict[int, Counter[int]] = field(default_factory=dict)
    negatives: int = 0
    problems: Counter[str] = field(default_factory=Counter)


def tally(data: AnnotationData, *, beat: Beat | None = None) -> Tally:
    """Look at every annotation once, and write the problems of each image. The stored counts must be right."""
    found = Tally()
    duplicates = contradicting_duplicates(data.pk, beat=beat)
    for page in pages(data.pk, beat=beat):
        first, last = (bisect_left(duplicates, (end,)) for end in (page[0], page[1] + 1))
        with by_index():
            several = _look_at(data, page, found, [pk for _position, pk in duplicates[first:last]])
        _count_coverage(found, shares_together(several))
    _count_problems(data, found)
    return found


def _look_at(data: AnnotationData, page: tuple[int, int], found: Tally, contradicting: list[int]) -> list[LabelOfImage]:
    """Count what the database can, of a page; return the pairs of label and image that have several masks."""
    _count_images(data, page, found)
    odd, several = False, []
    if data.annotation_type == AnnotationType.DETECTION:
        odd = _measure_boxes(data, page, found)
    elif data.annotation_type == AnnotationType.SEGMENTATION:
        odd, several = _measure_masks(data, page, found)
    bits = _odd_images(data, page) if odd else {}
    for pk in contradicting:
        bits[pk] = bits.get(pk, 0) | PROBLEMS["duplicates_with_different_labels"].bit
    _write_problems(items_of(data.pk, page), bits)
    return several


def _count_images(data: AnnotationData, page: tuple[int, int], found: Tally) -> None:
    counted = items_of(data.pk, page).values_list("annotation_count").annotate(times=Count("pk"))
    for number, images in counted:
        found.boxes_per_image[BOXES_PER_IMAGE.index(number)] += images
        found.negatives += images * (number == 0)


def _measure_boxes(data: AnnotationData, page: tuple[int, int], found: Tally) -> bool:
    """Count a page's boxes by interval; True if any of them is odd."""
    pixels = _real("item__image__width") * _real("item__image__height")
    boxes = annotations_of(data.pk, page).filter(kind=Kind.BOX)
    measured = boxes.alias(ratio=F("width") / F("height"), share=F("width") * F("height") * 100.0 / pixels)
    counted = measured.values_list(
        _bin("ratio", BOX_RATIO), _bin("share", BOX_AREA), Case(When(_odd(Kind.BOX), then=True), default=False)
    ).annotate(times=Count("pk"))
    any_odd = False
    for ratio, area, odd, times in counted:
        found.box_ratio[ratio] += times
        found.box_area[area] += times
        any_odd |= bool(odd)
    return any_odd


def _measure_masks(data: AnnotationData, page: tuple[int, int], found: Tally) -> tuple[bool, list[LabelOfImage]]:
    """Count a page's images by how much of them each class covers with one mask.

    Return whether a mask is odd, and the pairs of label and image with several masks, which may overlap. A mask of the
    whole image lies on each of its frames.
    """
    pixels = _real("item__image__width") * _real("item__image__height") * _real("item__image__frames")
    on_each = Case(
        When(frame=0, then=F("area") * _real("item__image__frames")), default=F("area"), output_field=FloatField()
    )
    masks = annotations_of(data.pk, page).filter(kind=Kind.MASK).alias(share=on_each * 100.0 / pixels)
    counted = masks.values_list("label", "item").annotate(
        share=Sum("share"), odd=Count("pk", filter=_odd(Kind.MASK)), times=Count("pk")
    )
    any_odd = False
    several: list[LabelOfImage] = []
    for label, item, share, odd, times in counted:
        any_odd |= bool(odd)
        if times > 1:
            several.append((label, item))
        else:
            _count_coverage(found, [(label, share)])
    return any_odd, several


def _count_coverage(found: Tally, shares: Iterable[tuple[int, float]]) -> None:
    for label, share in shares:
        of_label = found.coverage.setdefault(label, Counter())
        if share:
            of_label[COVERAGE.index(share)] += 1


def _odd_images(data: AnnotationData, page: tuple[int, int]) -> dict[int, int]:
    """Return the problems of the images of a page that have any, as bits."""
    bits: dict[int, int] = {}
    annotations = annotations_of(data.pk, page)
    for problem in _of_annotations():
        odd = annotations.filter(problem.condition, kind=problem.kind).values_list("item", flat=True).distinct()
        for item in odd:
            bits[item] = bits.get(item, 0) | problem.bit
    return bits


def _write_problems(items: QuerySet[AnnotatedImage], bits: dict[int, int]) -> None:
    """The images have the problems ``bits``, and none where they are not named."""
    stored = dict(items.filter(problems__gt=0).values_list("pk", "problems"))
    changed = [(pk, bits.get(pk, 0)) for pk in {*stored, *bits} if stored.get(pk, 0) != bits.get(pk, 0)]
    for chunk in in_chunks(changed, ROWS_PER_UPDATE):
        assign(AnnotatedImage, "problems", chunk)


def _count_problems(data: AnnotationData, found: Tally) -> None:
    odd = AnnotatedImage.objects.filter(annotation_data=data.pk, problems__gt=0).order_by()
    for bits, images in odd.values_list("problems").annotate(times=Count("pk")):
        for code, problem in PROBLEMS.items():
            found.problems[code] += images * bool(bits & problem.bit)


def _of_annotations() -> list[Problem]:
    return [problem for problem in PROBLEMS.values() if problem.condition is not None]


def _odd(kind: str) -> Q:
    conditions = [problem.condition for problem in _of_annotations() if problem.kind == kind]
    either = conditions[0]
    for condition in conditions[1:]:
        either |= condition
    return either


def _bin(alias: str, bins: Bins) -> Case:
    """The number of the interval that an expression lies in, as ``Bins.index`` has it."""
    below = [When(Q(**{f"{alias}__lt": edge}), then=Value(number)) for number, edge in enumerate(bins.edges)]
    return Case(*below, default=Value(len(bins.edges)), output_field=IntegerField())


def _real(path: str) -> Combinable:
    return Cast(F(path), FloatField())
