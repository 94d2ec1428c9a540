"""The numbers of the report as charts: bars with their axis, and the same as a table (product.md 6.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationType

MOST_BARS = 200
MOST_TICKS = 8
STEPS = (0.5, 1, 2, 5, 10, 20, 25)

Text = str | Promise


@dataclass(frozen=True)
class Bar:
    """``width`` is the bar's part of the axis, 0 to 100; ``rest`` what is left of it that is said to be negative."""

    title: str
    count: int
    percentage: float
    width: float
    color: str = ""
    rest: float = 0
    negative: int | None = None


@dataclass(frozen=True)
class Chart:
    """``ticks`` are the axis's per cents, evenly spaced from 0; ``hidden`` bars are left to the table for download."""

    key: str
    tab: Text
    title: Text
    explanation: Text
    head: tuple[Text, Text]
    bars: list[Bar] = field(default_factory=list)
    ticks: list[str] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    total: int | None = None
    hidden: int = 0
    choices: list[str] = field(default_factory=list)
    chosen: str = ""
    is_positive_negative: bool = False


def charts_of(annotation_type: str) -> dict[str, Text]:
    """Return the charts that the type has, by key, with the names of their tabs."""
    if annotation_type == AnnotationType.DETECTION:
        return {
            "box_label": gettext_lazy("Box label"),
            "boxes_per_image": gettext_lazy("Box-per-image"),
            "box_ratio": gettext_lazy("Box-ratio"),
            "box_area": gettext_lazy("Box-area"),
            "image_label": gettext_lazy("Image label"),
        }
    if annotation_type == AnnotationType.SEGMENTATION:
        return {
            "image_label": gettext_lazy("Label distribution"),
            "mask_coverage": gettext_lazy("Mask-coverage distribution"),
        }
    if annotation_type == AnnotationType.MULTI_LABEL:
        return {"image_label": gettext_lazy("Label distribution")}
    return {"label_distribution": gettext_lazy("Label distribution")}


def chart(key: str, numbers: Mapping[str, Any], *, annotation_type: str, label: str = "") -> Chart:
    """Draw one of the charts of the type; ``label`` is the class whose mask coverage is shown, the first by default."""
    tab = charts_of(annotation_type)[key]
    if key in ("label_distribution", "box_label"):
        return _shares(key, tab, numbers["label_distribution"])
    if key == "image_label":
        return _positive_and_negative(tab, numbers.get("image_label") or [])
    if key == "mask_coverage":
        return _coverage(tab, numbers.get("mask_coverage") or [], label)
    return _histogram(key, tab, numbers.get(key) or {})


def _shares(key: str, tab: Text, rows: Sequence[Mapping[str, Any]]) -> Chart:
    counted = "annotations" if key == "box_label" else "images"
    end, ticks = axis(max((row["percentage"] for row in rows), default=0))
    bars = [
        Bar(row["label"], row[counted], row["percentage"], _width(row["percentage"], end), row["color"])
        for row in rows[:MOST_BARS]
    ]
    boxes = key == "box_label"
    return Chart(
        key=key,
        tab=tab,
        title=_("Bounding Box Label Distribution") if boxes else _("Label Distribution"),
        explanation=_("Boxes of the label ÷ all boxes.") if boxes else _("Images of the label ÷ all listed images."),
        head=(_("Label"), _("# Boxes") if boxes else _("# Images")),
        bars=bars,
        total=sum(row[counted] for row in rows),
        hidden=len(rows) - len(bars),
        **_scale(ticks),
    )


def _positive_and_negative(tab: Text, rows: Sequence[Mapping[str, Any]]) -> Chart:
    bars = [
        Bar(
            row["label"],
            row["positive"],
            row["percentage"],
            row["percentage"],
            row["color"],
            rest=100 - row["percentage"],
            negative=row["negative"],
        )
        for row in rows[:MOST_BARS]
    ]
    return Chart(
        key="image_label",
        tab=tab,
        title=_("Label Distribution"),
        explanation=_("Images that have the label ÷ all listed images. An image may have several labels, or none."),
        head=(_("Label"), _("# Images")),
        bars=bars,
        hidden=len(rows) - len(bars),
        is_positive_negative=True,
        **_scale(axis(100)[1]),
    )


def _coverage(tab: Text, rows: Sequence[Mapping[str, Any]], label: str) -> Chart:
    names = [row["label"] for row in rows]
    chosen = label if label in names else next(iter(names), "")
    row = next((row for row in rows if row["label"] == chosen), {})
    return _histogram("mask_coverage", tab, row, choices=names, chosen=chosen)


def _histogram(key: str, tab: Text, row: Mapping[str, Any], **fields: Any) -> Chart:
    title, explanation, head = _WORDS[key]
    bins, counts, shares = (row.get(name, ()) for name in ("bins", "counts", "percentages"))
    end, ticks = axis(max(shares, default=0))
    bars = [Bar(*each, _width(each[2], end)) for each in zip(bins, counts, shares, strict=True)]
    return Chart(key, tab, title, explanation, head, bars, total=sum(counts), **_scale(ticks), **fields)


def axis(most: float) -> tuple[float, list[float]]:
    """Return the end of an axis of per cents that holds ``most``, and its ticks from 0 to the end."""
    step = next((step for step in STEPS if most / step <= MOST_TICKS), STEPS[-1])
    count = max(1, math.ceil(most / step))
    return count * step, [number * step for number in range(count + 1)]


def _scale(ticks: list[float]) -> dict[str, Any]:
    return {"ticks": [f"{tick:g}%" for tick in ticks], "lines": [_width(tick, ticks[-1]) for tick in ticks[1:-1]]}


def _width(value: float, end: float) -> float:
    return round(100 * value / end, 3)


_WORDS: dict[str, tuple[Text, Text, tuple[Text, Text]]] = {
    "boxes_per_image": (
        gettext_lazy("Bounding Boxes per Image"),
        gettext_lazy("How many listed images have so many boxes."),
        (gettext_lazy("Boxes in the image"), gettext_lazy("# Images")),
    ),
    "box_ratio": (
        gettext_lazy("Bounding Box Ratio"),
        gettext_lazy("Width of a box ÷ its height."),
        (gettext_lazy("Width ÷ height"), gettext_lazy("# Boxes")),
    ),
    "box_area": (
        gettext_lazy("Bounding Box Area"),
        gettext_lazy("Area of a box ÷ area of its image, in per cent."),
        (gettext_lazy("Part of the image, %"), gettext_lazy("# Boxes")),
    ),
    "mask_coverage": (
        gettext_lazy("Mask-Coverage Distribution"),
        gettext_lazy("Area of the label's mask ÷ area of the image, in per cent; 0 where the image does not have it."),
        (gettext_lazy("Part of the image, %"), gettext_lazy("# Images")),
    ),
}
