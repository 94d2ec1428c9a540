"""Annotations between three forms: as a label file has them, as rows keep them, as the measures take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from annotations.formats.base import Found
from annotations.formats.masks import Mask
from annotations.models import Annotation
from usage.measures import Said

Kept = dict[str, Any]
"""``label``, and of ``value``, ``bbox``, ``counts``, ``score`` and ``frame`` what there is. JSON values only."""


def kept_of(found: Found) -> Kept:
    """Return what is kept of an annotation that was read."""
    values = {"value": found.value, "score": found.score, "frame": found.frame or None}
    if found.mask is not None:
        values |= {"bbox": list(found.bbox or found.mask.bbox), "counts": found.mask.counts}
    elif found.bbox is not None:
        values["bbox"] = list(found.bbox)
    return {"label": found.label, **{name: value for name, value in values.items() if value is not None}}


def characters_of(kept: Kept) -> int:
    """Return about how much memory it takes."""
    return 100 + len(kept.get("counts", ""))


def said_of_kept(kept: Iterable[Mapping[str, Any]], *, height: int, width: int) -> list[Said]:
    """Return what was predicted of an image of this size."""
    return [
        Said(
            each["label"],
            value=each.get("value"),
            bbox=tuple(each["bbox"]) if "bbox" in each else None,
            mask=Mask(height, width, each["counts"]) if "counts" in each else None,
            score=each.get("score"),
            frame=each.get("frame", 0),
        )
        for each in kept
    ]


def said_of_rows(annotations: Sequence[Annotation], *, height: int, width: int) -> list[Said]:
    """Return what annotation data say of an image of this size; the annotations were read with their labels."""
    return [
        Said(
            each.label.name,
            value=each.value,
            bbox=(each.x, each.y, each.width, each.height)
            if None not in (each.x, each.y, each.width, each.height)
            else None,
            mask=Mask(height, width, each.counts) if each.counts is not None else None,
            score=each.score,
            frame=each.frame,
        )
        for each in annotations
    ]


def score_of(kept: Iterable[Mapping[str, Any]]) -> float | None:
    """Return the highest confidence in anything that is said to be there."""
    return max((each["score"] for each in kept if "score" in each and each.get("value") != 0), default=None)
