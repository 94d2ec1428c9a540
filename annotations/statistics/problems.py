"""What is odd about the annotations of an image: found by workers, kept as bits of ``AnnotatedImage.problems``.

The bits make a grid of the images with one problem as cheap as any other page, however few or many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import AnnotatedImage, Annotation, Kind
from datasets.models.image import Duplicate

TINY_SIDE = 4  # pixels


@dataclass(frozen=True)
class Problem:
    """``condition`` speaks of an annotation; without one the problem is found by looking at several images."""

    bit: int
    title: str | Promise
    kind: str = ""
    condition: Q | None = None


PROBLEMS = {
    "tiny_box": Problem(
        1,
        _("Boxes with a side below 4 pixels"),
        Kind.BOX,
        Q(width__lt=TINY_SIDE) | Q(height__lt=TINY_SIDE),
    ),
    "box_without_area": Problem(2, _("Boxes thinner than a pixel"), Kind.BOX, Q(width__lt=1) | Q(height__lt=1)),
    "mask_empty": Problem(4, _("Masks without a pixel"), Kind.MASK, Q(area__lte=0) | Q(area=None)),
    "duplicates_with_different_labels": Problem(8, _("The same picture with different labels")),
}


def having(items: QuerySet[AnnotatedImage], code: str) -> QuerySet[AnnotatedImage]:
    """Select the images with the problem ``code``. Raises KeyError for a code that there is not."""
    bit = PROBLEMS[code].bit
    return items.filter(problems__gt=0).alias(found=F("problems").bitand(bit)).filter(found__gt=0)


def with_contradicting_duplicates(annotation_data_id: int) -> QuerySet[AnnotatedImage]:
    """Select the images whose bytes are listed more than once, and not always with the same labels.

    A label contradicts when fewer images have it than show the bytes.
    """
    listed = AnnotatedImage.objects.filter(annotation_data=annotation_data_id, image__duplicate=Duplicate.BYTES)
    same_bytes = listed.filter(image__blob=OuterRef("item__image__blob")).order_by().values("image__blob")
    times = Subquery(same_bytes.annotate(times=Count("pk")).values("times"), output_field=IntegerField())
    said = Annotation.objects.filter(
        item__annotation_data=annotation_data_id, item__image__duplicate=Duplicate.BYTES
    ).filter(Q(value=None) | Q(value__gt=0))
    by_label = said.order_by().values("item__image__blob", "label").annotate(having=Count("item", distinct=True))
    torn = by_label.filter(having__lt=times).values("item__image__blob")
    return listed.filter(image__blob__in=torn).order_by()
