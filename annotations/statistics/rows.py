"""The report as a table: the lines of ``statistics.csv``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

HEAD = ("statistic", "label", "bin", "count", "percentage")
HISTOGRAMS = ("boxes_per_image", "box_ratio", "box_area")


def rows(numbers: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    """Yield the lines of a stored report, the head first; every number of it stands in one line.

    A label distribution whose shares make a whole (boxes, single labels) ends with a TOTAL, as on the page. What does
    not apply to a line is left empty.
    """
    yield HEAD
    for name, count in numbers.get("totals", {}).items():
        yield f"total_{name}", "", "", count, ""
    labels = numbers.get("label_distribution", [])
    counted = "annotations" if "box_area" in numbers else "images"
    for each in labels:
        yield "label_distribution", each["label"], "", each[counted], each["percentage"]
    if labels and ("box_area" in numbers or "image_label" not in numbers):
        yield "label_distribution", "TOTAL", "", sum(each[counted] for each in labels), 100
    for each in numbers.get("image_label", []):
        yield "image_label", each["label"], "positive", each["positive"], each["percentage"]
        yield "image_label", each["label"], "negative", each["negative"], round(100 - each["percentage"], 2)
    for name in HISTOGRAMS:
        if name in numbers:
            yield from _histogram(name, "", numbers[name])
    for each in numbers.get("mask_coverage", []):
        yield from _histogram("mask_coverage", each["label"], each)
    for each in numbers.get("advice", []):
        yield f"advice_{each['code']}", "; ".join(each["labels"]), "", each["count"], ""


def _histogram(name: str, label: str, of: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for title, count, share in zip(of["bins"], of["counts"], of["percentages"], strict=True):
        yield name, label, title, count, share
