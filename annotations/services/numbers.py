"""The numbers of the report, as they are stored: nothing is counted while somebody waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from annotations.models import AnnotationData, AnnotationType
from annotations.statistics.advice import message_of
from annotations.statistics.bins import percentage

TABLE = ("distribution", "label", "bin", "images", "annotations", "percentage", "count")
TOTAL = "TOTAL"
ADDS_UP: dict[str, tuple[str, ...]] = {  # an image may have boxes of several labels
    AnnotationType.SINGLE_LABEL: ("images", "annotations"),
    AnnotationType.DETECTION: ("annotations",),
}
COUNTED_IN = {"boxes_per_image": "images", "box_ratio": "annotations", "box_area": "annotations"}


def numbers_of(annotation_data: AnnotationData) -> dict[str, Any]:
    """Return what the statistics say, the advice in the reader's language; before there are any, the stored counts.

    Annotation data come with their labels and statistics.
    """
    statistics = getattr(annotation_data, "statistics", None)
    numbers = dict(statistics.numbers) if statistics and statistics.numbers else _from_counts(annotation_data)
    numbers["advice"] = [
        {**advice, "message": message_of(advice["code"], advice["count"])} for advice in numbers["advice"]
    ]
    return numbers


def table_of(annotation_data: AnnotationData) -> tuple[tuple[str, ...], Iterator[list[str]]]:
    """Return the columns and the rows of all distributions as one table, then the totals.

    Where the shares of the labels add up, a row with ``TOTAL`` for a bin and without a label follows them.
    """
    numbers = numbers_of(annotation_data)
    return TABLE, (
        [str(row.get(column, "")) for column in TABLE] for row in _rows(numbers, annotation_data.annotation_type)
    )


def _rows(numbers: Mapping[str, Any], annotation_type: str) -> Iterator[dict[str, Any]]:
    for row in numbers["label_distribution"]:
        yield {"distribution": "label_distribution", **row}
    counted = ADDS_UP.get(annotation_type, ())
    if counted:
        sums = {key: sum(row[key] for row in numbers["label_distribution"]) for key in counted}
        share = 100.0 if any(sums.values()) else 0.0
        yield {"distribution": "label_distribution", "bin": TOTAL, **sums, "percentage": share}
    for row in numbers.get("image_label") or ():
        share = {"distribution": "image_label", "label": row["label"]}
        listed = row["positive"] + row["negative"]
        yield {**share, "bin": "positive", "images": row["positive"], "percentage": row["percentage"]}
        negative = percentage(row["negative"], listed)
        yield {**share, "bin": "negative", "images": row["negative"], "percentage": negative}
    for name, counted in COUNTED_IN.items():
        yield from _bins(name, numbers.get(name) or {}, counted=counted)
    for row in numbers.get("mask_coverage") or ():
        yield from _bins("mask_coverage", row, counted="images", label=row["label"])
    for name, count in numbers["totals"].items():
        yield {"distribution": "totals", "bin": name, "count": count}


def _bins(name: str, histogram: Mapping[str, Any], *, counted: str, label: str = "") -> Iterator[dict[str, Any]]:
    columns = (histogram.get(key, ()) for key in ("bins", "counts", "percentages"))
    for title, count, share in zip(*columns, strict=True):
        yield {"distribution": name, "label": label, "bin": title, counted: count, "percentage": share}


def _from_counts(annotation_data: AnnotationData) -> dict[str, Any]:
    labels = annotation_data.labels.all()
    detects = annotation_data.annotation_type == AnnotationType.DETECTION
    everything = sum(label.annotation_count for label in labels) if detects else annotation_data.image_count
    distribution = [
        {
            "label": label.name,
            "color": label.color,
            "images": label.image_count,
            "annotations": label.annotation_count,
            "percentage": percentage(label.annotation_count if detects else label.image_count, everything),
        }
        for label in labels
    ]
    totals = {
        "images": annotation_data.image_count,
        "studies": annotation_data.study_count,
        "annotations": annotation_data.annotation_count,
        "labels": len(distribution),
        "negatives": 0,
        "unlisted_images": max(0, annotation_data.dataset.image_count - annotation_data.image_count),
    }
    return {"totals": totals, "label_distribution": distribution, "advice": []}
