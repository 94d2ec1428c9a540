"""NIfTI out: for each series and class a volume of 0 and 1, for images outside any series a flat one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np

from .base import ImageRef, ItemOut, OutMember, Output, folder, stem
from .masks import Bitmap, Mask, union
from .nifti_file import Matrix, dump
from .planes import affine_of, normal_of

NAMES_FILE = "labels.json"
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def members(output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
    files = {label.name: f"label_{number:03d}" for number, label in enumerate(output.labels, 1)}
    names = {file: label for label, file in files.items()}
    yield OutMember(NAMES_FILE, [json.dumps(names, ensure_ascii=False, indent=1).encode()])
    group: list[ItemOut] = []
    number = 0
    for item in items:
        if group and _key(group[0].image) != _key(item.image):
            number += 1
            yield from _volumes(group, files, number)
            group = []
        group.append(item)
    if group:
        yield from _volumes(group, files, number + 1)


def _key(image: ImageRef) -> tuple[object, ...]:
    if image.geometry is None or image.frames > 1:
        return (image.path,)
    return (image.series_instance_uid, image.width, image.height, image.geometry.orientation, image.geometry.spacing)


def _volumes(group: list[ItemOut], files: dict[str, str], number: int) -> Iterator[OutMember]:
    first = group[0].image
    below = (
        f"series_{number:04d}"
        if len(_key(first)) > 1
        else "/".join(filter(None, (folder(first.path), stem(first.path))))
    )
    group.sort(key=lambda item: _along(item.image))
    affine = _affine([item.image for item in group])
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


def _affine(images: list[ImageRef]) -> Matrix | None:
    """Return the matrix to RAS; the step from slice to slice is that from the first to the last, evenly spread."""
    first, last = images[0].geometry, images[-1].geometry
    if first is None or last is None:
        return None
    matrix = affine_of(first)
    if len(images) > 1:
        matrix[:3, 2] = np.subtract(last.position, first.position) / (len(images) - 1)
    result: Matrix = FLIP @ matrix
    return result
