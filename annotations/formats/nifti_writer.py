"""NIfTI out: for each series and class a volume of 0 and 1, for images outside any series a flat one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import numpy as np

from .base import ImageRef, ItemOut, OutMember, Output, folder, stem
from .masks import Bitmap, Mask, union
from .nifti_file import Matrix, dump
from .planes import SAME_PLACE, affine_of, normal_of

NAMES_FILE = "labels.json"
UNEVEN = 0.1
"""By how much of the step two slices may be nearer or farther than the others of their volume."""
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def members(output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
    files = {label.name: f"label_{number:03d}" for number, label in enumerate(output.labels, 1)}
    names = {file: label for label, file in files.items()}
    yield OutMember(NAMES_FILE, [json.dumps(names, ensure_ascii=False, indent=1).encode()])
    group: list[ItemOut] = []
    number = 0
    for item in chain(items, [None]):
        if group and (item is None or _key(group[0].image) != _key(item.image)):
            for run, step in _runs(group):
                number += 1
                yield from _volumes(run, step, files, number)
            group = []
        if item is not None:
            group.append(item)


def _key(image: ImageRef) -> tuple[object, ...]:
    if image.geometry is None or image.frames > 1:
        return (image.path,)
    return (image.series_instance_uid, image.width, image.height, image.geometry.orientation, image.geometry.spacing)


def _runs(group: list[ItemOut]) -> Iterator[tuple[list[ItemOut], float]]:
    """Yield slices that lie evenly one behind the other, and the step from one to the next (mm; 0 of a single image).

    A volume has one step: where slices between are not listed, or lie unevenly, another volume begins.
    """
    group = sorted(group, key=lambda item: _along(item.image))
    gaps = [_along(after.image) - _along(before.image) for before, after in pairwise(group)]
    step = min((gap for gap in gaps if gap > SAME_PLACE), default=0.0)
    run = group[:1]
    for gap, item in zip(gaps, group[1:], strict=True):
        if abs(gap - step) > UNEVEN * step:
            yield run, step
            run = []
        run.append(item)
    yield run, step


def _volumes(group: list[ItemOut], step: float, files: dict[str, str], number: int) -> Iterator[OutMember]:
    first = group[0].image
    below = (
        f"series_{number:04d}/{first.series_instance_uid}"
        if len(_key(first)) > 1
        else "/".join(filter(None, (folder(first.path), stem(first.path))))
    )
    affine = _affine([item.image for item in group], step)
    for label, file in files.items():
        masks = [[one.mask for one in item.annotations if one.label == label and one.mask] for item in group]
        if any(masks):
            shape = (first.width, first.height, len(group))
            yield OutMember(
                f"{below}/{file}.nii.gz", dump(shape, affine, (_slice(several, first) for several in masks))
            )


def _slice(masks: list[Mask], image: ImageRef) -> Bitmap:
    return union(masks).decode() if masks else np.zeros((image.height, image.width), bool)


def _along(image: ImageRef) -> float:
    return float(np.dot(normal_of(image.geometry), image.geometry.position)) if image.geometry else 0.0


def _affine(images: list[ImageRef], step: float) -> Matrix | None:
    """Return the matrix to RAS; the step from slice to slice is that from the first to the last, evenly spread."""
    first, last = images[0].geometry, images[-1].geometry
    if first is None or last is None:
        return None
    matrix = affine_of(first)
    if len(images) > 1:
        matrix[:3, 2] = np.subtract(last.position, first.position) / (len(images) - 1)
    elif step:
        matrix[:3, 2] = normal_of(first) * step
    result: Matrix = FLIP @ matrix
    return result
