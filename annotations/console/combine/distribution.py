"""Labels before and after: what each label of the result is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HUES = 8


@dataclass(frozen=True)
class Share:
    """What a source gives to a label of the result: images, and its part of the bar, in per cent of the longest."""

    number: int
    name: str
    images: int
    start: float
    width: float

    @property
    def hue(self) -> int:
        return self.number % HUES + 1


@dataclass(frozen=True)
class ResultLabel:
    """``before`` are the labels of the sources that become it, as (label, dataset, images)."""

    name: str
    images: int
    percentage: float
    before: Sequence[tuple[str, str, int]]
    shares: Sequence[Share]


def result_labels(
    matches: Sequence[Mapping[str, Any]], sources: Sequence[int], names: Sequence[str], *, of: int
) -> list[ResultLabel]:
    """Return the labels of the result, most images first, each with what it is made of; ``of`` is 100 %, in images."""
    place = {dataset: number for number, dataset in enumerate(sources)}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for match in matches:
        for label in match["labels"]:
            if label["becomes"] is not None:
                found.setdefault(label["becomes"], []).append(label)
    total = {name: sum(label["images"] for label in labels) for name, labels in found.items()}
    most = max(total.values(), default=0) or 1
    rows = []
    for name in sorted(found, key=lambda name: (-total[name], name.casefold())):
        labels = sorted(found[name], key=lambda label: place[label["dataset"]])
        shares, start = [], 0.0
        for label in labels:
            width = 100 * label["images"] / most
            number = place[label["dataset"]]
            shares.append(Share(number, names[number], label["images"], round(start, 3), round(width, 3)))
            start += width
        before = [(label["label"], names[place[label["dataset"]]], label["images"]) for label in labels]
        rows.append(ResultLabel(name, total[name], 100 * total[name] / max(of, 1), before, shares))
    return rows


def left_out(matches: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(
        dict.fromkeys(label["label"] for match in matches for label in match["labels"] if label["becomes"] is None)
    )
