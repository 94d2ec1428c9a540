"""NIfTI masks: volumes laid over the DICOM series whose slices lie in them, or flat ones over a single image.

A volume names no series. If slices in several frames of reference, which may be several patients', lie in it, it is
meant for the series whose UID is in the file's path, else for those whose files lie nearest to it.

A voxel's value is a class; ``options["labels"]`` or a JSON file beside it ({"1": "liver"}) names them. Without names a
file of 0 and 1 is called as the file, others by their values. NIfTI counts to the right, front and top (RAS), DICOM to
the left, back and top (LPS). Each class of a series is written to a file of its own, so that classes may overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import checks
from .base import (
    SEGMENTATION,
    Ambiguous,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelInfo,
    LabelSet,
    Listed,
    Options,
    OutMember,
    Output,
    SideFile,
    base_name,
    folder,
    read_whole,
)
from .images import Images, nearness
from .masks import Mask
from .nifti_file import Volume, is_nifti, load
from .nifti_writer import NAMES_FILE, members
from .planes import affine_of

FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
ALIGNED = 0.25  # voxels that a slice may be off the volume's


class Nifti:
    key = "nifti"
    title = "NIfTI masks"
    reads = (SEGMENTATION,)
    writes = (SEGMENTATION,)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        volumes = [file for file in files if is_nifti(file.path)]
        names = [file for file in files if volumes and base_name(file.path).lower() == NAMES_FILE]
        claimed = [*names, *volumes]
        return ([LabelSet(self.key, SEGMENTATION, claimed, "nifti", "_nifti")] if volumes else []), claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        names: dict[str, str] = {str(key): str(value) for key, value in options.get("labels", {}).items()}
        for file in label_set.files:
            try:
                if is_nifti(file.path):
                    yield from _read(file, names, images)
                else:
                    names |= read_names(file)
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        return members(output, items)


def read_names(file: SideFile) -> dict[str, str]:
    """Return the names that a JSON object gives to values or files."""
    try:
        document: Any = json.loads(read_whole(file))
    except (ValueError, RecursionError):
        raise LabelError("The file is no sound JSON.", code="label_file_invalid") from None
    if not isinstance(document, dict):
        raise LabelError("The file names no classes.", code="label_file_invalid")
    return {str(key): value for key, value in document.items() if isinstance(value, str)}


def _read(file: SideFile, names: dict[str, str], images: Images) -> Iterator[Item]:
    volume = load(file)
    if volume.voxels.dtype.kind == "f":  # some write "not a number" where nothing was looked at
        volume = volume._replace(voxels=np.where(np.isnan(volume.voxels), 0, volume.voxels))
    labels = _labels(file, volume.voxels, names)
    for label in labels.values():
        yield LabelInfo(label)
    for row, (image, pixels) in enumerate(_slices(file, volume, images), 1):
        yield Listed(image.id, row)
        for value in np.unique(pixels).tolist():
            if value:
                yield Found(image.id, labels[value], row, mask=Mask.from_array(pixels == value))


def _labels(file: SideFile, voxels: npt.NDArray[Any], names: dict[str, str]) -> dict[float, str]:
    values = [value for value in np.unique(voxels).tolist() if value]
    if len(values) > 10_000 or any(not float(value).is_integer() or value < 0 for value in values):
        raise LabelError("The voxels are no numbers of classes.", code="label_file_invalid")
    name = base_name(file.path)[: -len(".nii.gz") if file.path.lower().endswith(".gz") else -len(".nii")]
    if values == [1] and "1" not in names:
        return {1: checks.label_name(names.get(name, name))}
    return {value: checks.label_name(names.get(str(int(value)), str(int(value)))) for value in values}


def _slices(file: SideFile, volume: Volume, images: Images) -> Iterator[tuple[ImageRef, npt.NDArray[Any]]]:
    """Yield the images that the volume covers, with the voxels that lie on their pixels."""
    found = False
    if volume.affine is not None:
        inverse = np.linalg.inv(volume.affine) @ FLIP
        for image in _covered(file, volume.voxels, inverse, images):
            pixels = _sampled(volume.voxels, inverse, image)
            if pixels is not None:
                found = True
                yield image, pixels
    if found:
        return
    if volume.voxels.shape[2] != 1:
        raise LabelError(
            "No series of this dataset lies where the volume lies.", column="affine", code="label_image_unknown"
        )
    image = _flat_image(file, images)
    flat = volume.voxels[:, :, 0].T
    if flat.shape != (image.height, image.width):
        raise LabelError(
            f"The mask has {flat.shape[1]} × {flat.shape[0]} pixels, the image {image.width} × {image.height}.",
            code="label_size_differs",
        )
    yield image, flat


def _flat_image(file: SideFile, images: Images) -> ImageRef:
    name = file.path[: -len(".nii.gz") if file.path.lower().endswith(".gz") else -len(".nii")]
    try:
        return images.find(name)
    except LabelError as error:
        try:
            return images.find(folder(file.path))
        except LabelError:
            raise error from None


def _covered(file: SideFile, voxels: npt.NDArray[Any], inverse: npt.NDArray[Any], images: Images) -> Iterator[ImageRef]:
    """Yield the slices that lie in the volume and that it can be meant for. Raises Ambiguous."""
    covered: dict[str, list[ImageRef]] = {}
    for image in images.touching(inverse, voxels.shape):
        if _matrix(voxels.shape, inverse, image) is not None:
            covered.setdefault(image.series_instance_uid, []).append(image)
    named = [uid for uid in covered if uid in file.path.split("/")]
    spaces: dict[str, list[str]] = {}
    for uid in named or covered:
        spaces.setdefault(covered[uid][0].frame_of_reference_uid or uid, []).append(uid)
    if len(spaces) > 1:
        folders = {space: set(folder(covered[uids[0]][0].path).split("/")) for space, uids in spaces.items()}
        shared = set.intersection(*folders.values())  # what all lie in tells nobody apart
        parts = set(file.path.removesuffix(".gz").removesuffix(".nii").split("/")) - shared
        beside = folder(file.path), file.path.removesuffix(".gz").removesuffix(".nii")
        near = {
            space: (
                len(parts & folders[space]),
                max(nearness(one, folder(covered[uid][0].path)) for uid in uids for one in beside),
            )
            for space, uids in spaces.items()
        }
        nearest = [space for space in spaces if near[space] == max(near.values())]
        if len(nearest) > 1:
            raise Ambiguous(
                "The volume lies where several series lie; put it in the folder of the one that is meant.",
                column="affine",
                near=[covered[spaces[space][0]][0].path for space in nearest[:5]],
            )
        spaces = {nearest[0]: spaces[nearest[0]]}
    for uids in spaces.values():
        for uid in uids:
            yield from covered[uid]


def _matrix(shape: tuple[int, ...], inverse: npt.NDArray[Any], image: ImageRef) -> npt.NDArray[Any] | None:
    """Return the matrix from (column, row, slice) to voxels; None if the slice lies outside or between the volume's."""
    if image.geometry is None:
        return None
    matrix: npt.NDArray[Any] = inverse @ affine_of(image.geometry)
    corners = matrix @ np.array(
        [[0, image.width - 1, 0, image.width - 1], [0, 0, image.height - 1, image.height - 1], [0] * 4, [1] * 4]
    )
    through = int(np.argmax(np.abs(matrix[:3, 2] / np.linalg.norm(matrix[:3, 2]))))
    depth = corners[through]
    if np.abs(depth - np.round(depth[0])).max() > ALIGNED or not 0 <= round(depth[0]) < shape[through]:
        return None
    return matrix


def _sampled(voxels: npt.NDArray[Any], inverse: npt.NDArray[Any], image: ImageRef) -> npt.NDArray[Any] | None:
    """Return the nearest voxel for each pixel; None if the slice lies outside or between the volume's slices."""
    matrix = _matrix(voxels.shape, inverse, image)
    if matrix is None:
        return None
    columns, rows = np.arange(image.width), np.arange(image.height)[:, None]
    places = [
        np.round(matrix[axis, 0] * columns + matrix[axis, 1] * rows + matrix[axis, 3]).astype(np.int64)
        for axis in range(3)
    ]
    inside = np.ones((image.height, image.width), bool)
    for axis, place in enumerate(places):
        inside &= (place >= 0) & (place < voxels.shape[axis])
    if not inside.any():
        return None
    clipped = [np.clip(place, 0, voxels.shape[axis] - 1) for axis, place in enumerate(places)]
    return np.where(inside, voxels[clipped[0], clipped[1], clipped[2]], 0)
