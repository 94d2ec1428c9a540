"""What a split comes to, as bars and a table: how every label lies in the parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotations.statistics import color_of

MOST_BARS = 20


@dataclass(frozen=True)
class Segment:
    """A part's share of a bar: where it begins and how wide it is, 0 to 100, and its number of studies."""

    part: str
    color: str
    start: float
    width: float
    studies: int

    @property
    def percentage(self) -> float:
        return self.width


@dataclass(frozen=True)
class Row:
    """A label, or all studies, in the parts. ``studies`` is the sum of the segments'."""

    title: str
    studies: int
    segments: Sequence[Segment]


@dataclass(frozen=True)
class Numbers:
    """``borders`` are where the bars would be cut if every label were dealt out exactly as asked."""

    parts: Sequence[Mapping[str, Any]]
    everything: Row
    bars: Sequence[Row]
    rows: Sequence[Row]
    borders: Sequence[float]
    leaks: Mapping[str, int]
    without_patient: int
    study_count: int
    image_count: int

    @property
    def has_leaks(self) -> bool:
        return any(self.leaks.values())


def numbers_of(report: Mapping[str, Any]) -> Numbers:
    """Return what pages show of a Split.report. Bars are those of the most frequent labels."""
    parts = [{**part, "color": color_of(place)} for place, part in enumerate(report["parts"])]
    names = list(dict.fromkeys(label for part in parts for label in part["labels"]))
    total = Counter({label: sum(part["labels"].get(label, 0) for part in parts) for label in names})
    rows = {label: _row(label, parts, [part["labels"].get(label, 0) for part in parts]) for label in sorted(names)}
    borders: list[float] = []
    for part in parts[:-1]:
        borders.append((borders[-1] if borders else 0.0) + 100 * part["share"])
    study_count = sum(part["studies"] for part in parts)
    return Numbers(
        parts=parts,
        everything=_row(_("All studies"), parts, [part["studies"] for part in parts]),
        bars=[rows[label] for label, _number in total.most_common(MOST_BARS)],
        rows=list(rows.values()),
        borders=[round(border, 3) for border in borders],
        leaks=report["leaks"],
        without_patient=report["without_patient"],
        study_count=study_count,
        image_count=sum(part["images"] for part in parts),
    )


def _row(title: str, parts: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> Row:
    whole = sum(numbers)
    segments: list[Segment] = []
    start = 0.0
    for part, number in zip(parts, numbers, strict=True):
        width = 100 * number / whole if whole else 0.0
        segments.append(Segment(part["name"], part["color"], round(start, 3), round(width, 3), number))
        start += width
    return Row(title, whole, segments)
