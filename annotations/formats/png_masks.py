"""PNG masks: one picture for each class and image in a folder of the class, or one of class numbers for each image.

``labels.json`` names the folders ({"label_001": "liver"}) or the numbers ({"1": "liver"}). Without it a folder of
pictures that hold one value beside 0 is a class, and numbers are called as they are. Palettes are read as numbers.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from . import checks
from .base import (
    SEGMENTATION,
    Found,
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
    read_whole,
)
from .images import Images
from .masks import Mask, union
from .names import Names
from .nifti import read_names
from .nifti_writer import NAMES_FILE
from .orientation import Placement

NEGATIVE = "none"  # folder of empty masks, of images with nothing to label
NUMBERED = frozenset({"masks", "mask", "labels", "label", "segmentationclass", "segmentation", "annotations", ""})
MAX_PIXELS = 1 << 28


class PngMasks:
    key = "png-masks"
    title = "PNG masks"
    reads = (SEGMENTATION,)
    writes = (SEGMENTATION,)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        masks = [file for file in files if file.path.lower().endswith(".png") and images.at_path(file.path) is None]
        names = [file for file in files if masks and base_name(file.path).lower() == NAMES_FILE]
        claimed = [*names, *masks]
        return ([LabelSet(self.key, SEGMENTATION, claimed, "masks", "_masks")] if masks else []), claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        names: dict[str, str] = {str(key): str(value) for key, value in options.get("labels", {}).items()}
        declared: set[str] = set()
        for file in label_set.files:
            try:
                if file.path.lower().endswith(".png"):
                    yield from _read(file, names, images, declared)
                else:
                    names |= read_names(file)
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        folders = {label.name: f"label_{number:03d}" for number, label in enumerate(output.labels, 1)}
        document = {name: label for label, name in folders.items()}
        yield OutMember(NAMES_FILE, [json.dumps(document, ensure_ascii=False, indent=1).encode()])
        names = Names()
        for item in items:
            by_label: dict[str, list[Mask]] = {}
            for annotation in item.annotations:
                if annotation.mask is not None:
                    by_label.setdefault(annotation.label, []).append(annotation.mask)
            path = names.of(item.image.path, ".png")
            if not by_label:
                empty = np.zeros((item.image.height, item.image.width), bool)
                yield OutMember(f"{NEGATIVE}/{path}", [_png(empty)])
            for label, masks in by_label.items():
                yield OutMember(f"{folders[label]}/{path}", [_png(union(masks).decode())])


def _png(pixels: npt.NDArray[np.bool_]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _read(file: SideFile, names: dict[str, str], images: Images, declared: set[str]) -> Iterator[Item]:
    pixels = _pixels(read_whole(file))
    top, rest = _class_folder(file.path, names)
    image = images.find(rest[: -len(".png")])
    placement = Placement(image, pixels.shape[1], pixels.shape[0])
    yield Listed(image.id, 1)
    values = [value for value in np.unique(pixels).tolist() if value]
    whole = len(values) == 1 and (top in names or (top.lower() not in NUMBERED and top != NEGATIVE))
    for value in values:
        number = str(value)
        named = names.get(top, names.get(number, top)) if whole else names.get(number, number)
        label = checks.label_name(named, "folder")
        if label not in declared:
            declared.add(label)
            yield LabelInfo(label)
        yield Found(image.id, label, 1, mask=placement.mask(Mask.from_array(pixels == value)))


def _class_folder(path: str, names: dict[str, str]) -> tuple[str, str]:
    """Return the folder that may be a class, and the path behind it: one that is named, else the first."""
    folders = path.split("/")[:-1]
    for place, one in enumerate(folders):
        if one == NEGATIVE or (one in names and (place == 0 or not one.isdecimal())):
            return one, "/".join(path.split("/")[place + 1 :])
    top, _, rest = path.partition("/")
    return (top, rest) if rest else ("", path)


def _pixels(content: bytes) -> npt.NDArray[Any]:
    """Return the numbers in a grey, black-and-white or palette picture."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise LabelError("The mask is too large.", code="label_file_too_large")
            if picture.mode not in ("1", "L", "P", "I", "I;16"):
                raise LabelError("The mask is a picture of colours, not of class numbers.", code="label_file_invalid")
            return np.asarray(picture).astype(np.int64)
    except (ValueError, OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        raise LabelError("The file is no sound PNG.", code="label_file_invalid") from None
