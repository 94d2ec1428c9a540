"""What a data scientist should look at before training, from numbers that are known already. Pure but for words.

The cutoff of under-representation, ceil(0.75 × mean per class), is product.md 6.3's; that less than half of it is
serious, and the number of images below which a class is tiny, are our own choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import ngettext

CUTOFF, SERIOUS = 0.75, 0.5
TINY_CLASS = 10  # images
INFO, WARNING = "info", "warning"


class LabelCount(NamedTuple):
    """``weight`` is what classes are balanced by: boxes for detection, otherwise images."""

    name: str
    images: int
    weight: int


def advise(
    labels: Sequence[LabelCount], *, problems: Mapping[str, int], negatives: int, unlisted: int
) -> list[dict[str, Any]]:
    """Return what is to be said, warnings first: code, severity, message, labels, count (of labels or images) and
    query, the filter of the grid that shows the images meant ("" where there are none).

    ``problems`` gives the number of images by code.
    """
    found = [*_of_labels(labels), *_of_images(problems, negatives, unlisted)]
    return sorted(found, key=lambda each: each["severity"] != WARNING)


def message_of(code: str, count: int) -> str:
    """Return the sentence, in the language of whoever reads it."""
    return _SENTENCES[code](count) % {"count": count}


def _of_labels(labels: Sequence[LabelCount]) -> Iterator[dict[str, Any]]:
    empty = [label.name for label in labels if not label.images]
    present = [label for label in labels if label.images]
    tiny = [label.name for label in present if label.images < TINY_CLASS]
    cutoff = math.ceil(CUTOFF * sum(label.weight for label in present) / len(present)) if present else 0
    seriously = [label.name for label in present if label.weight < SERIOUS * cutoff]
    mildly = [label.name for label in present if SERIOUS * cutoff <= label.weight < cutoff]
    if empty:
        yield _advice("label_without_images", WARNING, len(empty), empty)
    if tiny:
        yield _advice("tiny_class", WARNING, len(tiny), tiny, query=_any_of(tiny))
    if seriously:
        yield _advice("seriously_under_represented", WARNING, len(seriously), seriously, query=_any_of(seriously))
    if mildly:
        yield _advice("mildly_under_represented", INFO, len(mildly), mildly, query=_any_of(mildly))


def _of_images(problems: Mapping[str, int], negatives: int, unlisted: int) -> Iterator[dict[str, Any]]:
    for code, count in problems.items():
        if count:
            yield _advice(code, INFO if code == "tiny_box" else WARNING, count, query=urlencode({"problem": code}))
    if negatives:
        yield _advice("images_without_labels", INFO, negatives, query="nothing=1")
    if unlisted:
        yield _advice("images_not_listed", INFO, unlisted)


def _advice(code: str, severity: str, count: int, labels: Sequence[str] = (), *, query: str = "") -> dict[str, Any]:
    return {
        "code": code,
        "severity": severity,
        "message": message_of(code, count),
        "labels": list(labels),
        "count": count,
        "query": query,
    }


def _any_of(names: Sequence[str]) -> str:
    return urlencode([("label", name) for name in names])


_SENTENCES = {
    "label_without_images": lambda count: ngettext(
        "%(count)d label has no image at all.", "%(count)d labels have no image at all.", count
    ),
    "tiny_class": lambda count: ngettext(
        "%(count)d label has fewer than 10 images: too few to train, validate and test with.",
        "%(count)d labels have fewer than 10 images: too few to train, validate and test with.",
        count,
    ),
    "seriously_under_represented": lambda count: ngettext(
        "%(count)d label is seriously under-represented.", "%(count)d labels are seriously under-represented.", count
    ),
    "mildly_under_represented": lambda count: ngettext(
        "%(count)d label is mildly under-represented.", "%(count)d labels are mildly under-represented.", count
    ),
    "tiny_box": lambda count: ngettext(
        "%(count)d image has boxes with a side below 4 pixels.",
        "%(count)d images have boxes with a side below 4 pixels.",
        count,
    ),
    "box_without_area": lambda count: ngettext(
        "%(count)d image has boxes thinner than a pixel.", "%(count)d images have boxes thinner than a pixel.", count
    ),
    "mask_empty": lambda count: ngettext(
        "%(count)d image has empty masks.", "%(count)d images have empty masks.", count
    ),
    "duplicates_with_different_labels": lambda count: ngettext(
        "%(count)d image shows the same picture as another, but is labelled differently.",
        "%(count)d images show the same picture as another, but are labelled differently.",
        count,
    ),
    "images_without_labels": lambda count: ngettext(
        "%(count)d image has nothing to label; it is used in training as a negative example.",
        "%(count)d images have nothing to label; they are used in training as negative examples.",
        count,
    ),
    "images_not_listed": lambda count: ngettext(
        "%(count)d image of the dataset is not listed; training leaves it out.",
        "%(count)d images of the dataset are not listed; training leaves them out.",
        count,
    ),
}
