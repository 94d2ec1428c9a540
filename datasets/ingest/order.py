"""In which order studies and images are shown (product decision P10). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

_DIGITS = re.compile(r"\d+")
_SAME_DIRECTION = 1e-3


def natural_key(path: str) -> str:
    """Return a key that sorts names as people do: case aside, and ``image2`` before ``image10``."""
    return _DIGITS.sub(lambda run: run.group().lstrip("0").zfill(12), path.casefold())


@dataclass(frozen=True, slots=True)
class Slice:
    """What the order of an image within its study depends on."""

    pk: int
    series_number: int | None
    series_uid: str
    slice_position: float | None
    orientation: tuple[float, ...]
    instance_number: int | None
    path: str


def display_order(images: Iterable[Slice]) -> list[Slice]:
    """Return a study's images in display order: series by SeriesNumber, and in each series by place.

    Place is the position along the slice normal where all images of the series have one and share the normal
    (PS3.3 C.7.6.2), with InstanceNumber between images at one place; else InstanceNumber; else the path.
    """

    def series_key(image: Slice) -> tuple[bool, int, str]:
        return image.series_number is None, image.series_number or 0, image.series_uid

    ordered: list[Slice] = []
    for _, members in groupby(sorted(images, key=series_key), key=series_key):
        ordered.extend(_by_place(list(members)))
    return ordered


def _by_place(series: Sequence[Slice]) -> list[Slice]:
    if all(image.slice_position is not None for image in series) and _share_orientation(series):
        return sorted(series, key=lambda image: (round(image.slice_position or 0.0, 3), *_by_number(image)))
    if all(image.instance_number is not None for image in series):
        return sorted(series, key=_by_number)
    return sorted(series, key=lambda image: natural_key(image.path))


def _by_number(image: Slice) -> tuple[bool, int, str]:
    return image.instance_number is None, image.instance_number or 0, natural_key(image.path)


def _share_orientation(series: Sequence[Slice]) -> bool:
    first = series[0].orientation
    return all(
        len(image.orientation) == len(first)
        and all(abs(a - b) <= _SAME_DIRECTION for a, b in zip(image.orientation, first, strict=True))
        for image in series
    )
