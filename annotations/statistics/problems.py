"""What is odd about the annotations of an image: found by workers, kept as bits of ``AnnotatedImage.problems``.

The bits make a grid of the images with one problem as cheap as any other page, however few or many there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import AnnotatedImage, Kind

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
