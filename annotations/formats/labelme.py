"""LabelMe JSON, one file an image: classes of the image, rectangles as boxes, polygons and masks as masks.

Every upload of such files makes a set of classes (an image may have several), and one of boxes and one of masks where
there are such shapes. Polygons of one class with one ``group_id`` are one object.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from . import checks
from .base import (
    DETECTION,
    MULTI_LABEL,
    SEGMENTATION,
    AnnotationType,
    Elsewhere,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelSet,
    Listed,
    Options,
    OutMember,
    Output,
    Polygon,
    SideFile,
    base_name,
    folder,
    read_whole,
    stem,
)
from .images import Images
from .labelme_writer import members
from .masks import Mask
from .orientation import Placement
from .polygons import draw

MAX_JSON = 256 * 1024 * 1024
SHAPES = re.compile(rb'"shapes"\s*:\s*\[')
KINDS = re.compile(rb'"shape_type"\s*:\s*"(\w+)"')
BOXED = "rectangle"
OUTLINED = frozenset({"polygon", "mask"})
OWN = frozenset({"label", "points", "shape_type", "group_id", "flags", "mask", "score", "frame"})


class LabelMe:
    key = "labelme"
    title = "LabelMe JSON"
    reads = (MULTI_LABEL, DETECTION, SEGMENTATION)
    writes = (DETECTION, SEGMENTATION, MULTI_LABEL)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        claimed: list[SideFile] = []
        kinds: set[str] = set()
        for file in files:
            if file.path.lower().endswith(".json") and file.size <= MAX_JSON:
                found = _kinds(file)
                if found is not None:
                    claimed.append(file)
                    kinds |= found
        if not claimed:
            return [], []
        types: list[AnnotationType] = [MULTI_LABEL]
        types += [DETECTION] if BOXED in kinds else []
        types += [SEGMENTATION] if kinds & OUTLINED else []
        sets = [
            LabelSet(self.key, kind, claimed, str(place), f"-{place}", {"last": place == len(types) - 1})
            for place, kind in enumerate(types)
        ]
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for file in label_set.files:
            try:
                yield from _File(file, label_set.annotation_type or MULTI_LABEL, images, options).read()
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        return members(output, items)


def _kinds(file: SideFile) -> set[str] | None:
    """Return the kinds of shapes in it; None if it is no LabelMe file."""
    with file.open() as stream:
        content = stream.read(MAX_JSON)
    if not SHAPES.search(content):
        return None
    return {kind.decode() for kind in KINDS.findall(content)}


def load(content: bytes) -> dict[str, Any]:
    """Return the document; ``LabelError`` if it is none of LabelMe's."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise LabelError("The file is no sound JSON.", code="label_file_invalid") from None
    if not isinstance(document, dict) or not isinstance(document.get("shapes"), list):
        raise LabelError("The file has no list of shapes.", code="label_file_invalid")
    return document


class EmbeddedImage(NamedTuple):
    """The picture inside a LabelMe file: its imagePath as written ("" if none), and its bytes."""

    name: str
    data: bytes


def embedded_image(path: str, content: bytes) -> EmbeddedImage | None:
    """Return the picture inside a LabelMe file; None if it has none or is no LabelMe file at all.

    Raises:
        LabelError: the picture is not base64.
    """
    if not SHAPES.search(content):
        return None
    try:
        document = load(content)
    except LabelError:  # the reader of the labels says what is wrong with the file
        return None
    data = document.get("imageData")
    if not data:
        return None
    try:
        picture = base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise LabelError(
            f"The image inside “{base_name(path)[-120:]}” is not base64.",
            column="imageData",
            code="label_image_unreadable",
        ) from None
    name = document.get("imagePath")
    return EmbeddedImage(name if isinstance(name, str) else "", picture)


def image_of(document: dict[str, Any], path: str, images: Images) -> ImageRef:
    """Return the image the file speaks of: the one its imagePath names, else the one beside it of the same name."""
    name = document.get("imagePath")
    if isinstance(name, str) and name:
        try:
            return images.find(name, beside=folder(path))
        except LabelError as error:
            try:
                found = images.find(stem(path), beside=folder(path))
            except LabelError:
                raise error from None
            if isinstance(error, Elsewhere) and folder(found.path) != folder(path):
                raise
            return found
    return images.find(stem(path), beside=folder(path))


class _File:
    def __init__(self, file: SideFile, kind: AnnotationType, images: Images, options: Options):
        self.path, self.kind, self.options = file.path, kind, options
        self.document = load(read_whole(file, MAX_JSON))
        self.image = image_of(self.document, file.path, images)
        size = (self.document.get("imageWidth"), self.document.get("imageHeight"))
        width, height = (value if isinstance(value, int) else None for value in size)
        self.placement = Placement(self.image, width, height, "imageWidth")

    def read(self) -> Iterator[Item]:
        yield Listed(self.image.id, 1)
        if self.kind == MULTI_LABEL:
            yield from self.classes()
        groups: dict[tuple[str, int], list[tuple[int, dict[str, Any]]]] = {}
        for row, shape in enumerate(self.document["shapes"], 1):
            try:
                if not isinstance(shape, dict):
                    raise LabelError("A shape must be an object.", column="shapes")
                sort = str(shape.get("shape_type") or "polygon")
                known = sort == BOXED or sort in OUTLINED
                if not known and self.options.get("last", True):
                    raise LabelError(
                        f"A shape of the type “{sort[:40]}” is neither a box nor a mask; only its class is used.",
                        column="shape_type",
                        code="label_shape_unsupported",
                    )
                if self.kind == DETECTION and sort == BOXED:
                    yield self.boxed(shape, row)
                elif self.kind == SEGMENTATION and sort in OUTLINED:
                    group = shape.get("group_id")
                    if isinstance(group, int) and sort == "polygon":
                        groups.setdefault((str(shape.get("label")), group), []).append((row, shape))
                    else:
                        yield self.masked([(row, shape)])
            except LabelError as error:
                yield error.at(row, self.path)
        for shapes in groups.values():
            try:
                yield self.masked(shapes)
            except LabelError as error:
                yield error.at(shapes[0][0], self.path)

    def classes(self) -> Iterator[Item]:
        """Yield the image's own flags, true or false, and the classes of its shapes."""
        values: dict[str, tuple[int, int]] = {}
        flags = self.document.get("flags")
        for name, value in (flags if isinstance(flags, dict) else {}).items():
            values[name] = (int(bool(value)), 0)
        for row, shape in enumerate(self.document["shapes"], 1):
            if not isinstance(shape, dict):
                continue
            try:
                values[checks.label_name(shape.get("label"), "label")] = (1, row)
            except LabelError as error:
                yield error.at(row, self.path)
        for name, (value, row) in values.items():
            try:
                yield Found(self.image.id, checks.label_name(name, "flags"), row, value)
            except LabelError as error:
                yield error.at(row or None, self.path)

    def boxed(self, shape: dict[str, Any], row: int) -> Found:
        label = checks.label_name(shape.get("label"), "label")
        points = _points(shape, 2)
        xs, ys = points[0::2], points[1::2]
        x, y, width, height = self.placement.box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        box = checks.box(x, y, width, height, self.image)
        return self.made(shape, Found(self.image.id, label, row, None, box), [shape])

    def masked(self, shapes: list[tuple[int, dict[str, Any]]]) -> Found:
        row, shape = shapes[0]
        label = checks.label_name(shape.get("label"), "label")
        if shape.get("shape_type") == "mask":
            mask = self.placement.mask(self.bitmap(shape))
            polygons = None
        else:
            polygons = [self.placement.polygon(_points(one, 3)) for _, one in shapes]
            try:
                mask = draw(polygons, self.image.height, self.image.width)
            except ValueError as error:
                raise LabelError(f"The polygon cannot be drawn: {error}", column="points") from error
        found = Found(self.image.id, label, row, None, None, checks.filled(mask, "points"), polygons)
        return self.made(shape, found, [one for _, one in shapes])

    def bitmap(self, shape: dict[str, Any]) -> Mask:
        """Return the mask of a shape that is a small picture at its first point."""
        width, height = self.placement.size
        points = _points(shape, 1)
        left, top = round(points[0]), round(points[1])
        try:
            with Image.open(
                io.BytesIO(base64.b64decode(str(shape.get("mask")), validate=True)), formats=["PNG"]
            ) as png:
                if png.width > width or png.height > height:
                    raise LabelError("The mask is larger than the image.", column="mask")
                small = np.asarray(png.convert("L")) > 0
        except (ValueError, OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
            raise LabelError("The mask is no PNG in base64.", column="mask") from None
        if left < 0 or top < 0 or left + small.shape[1] > width or top + small.shape[0] > height:
            raise LabelError("The mask reaches out of the image.", column="points", code="label_box_outside")
        pixels = np.zeros((height, width), bool)
        pixels[top : top + small.shape[0], left : left + small.shape[1]] = small
        return Mask.from_array(pixels)

    def made(self, shape: dict[str, Any], found: Found, shapes: list[dict[str, Any]]) -> Found:
        extra = {key: value for key, value in shape.items() if key not in OWN and value not in ("", None)}
        if shape.get("flags"):
            extra["flags"] = shape["flags"]
        if isinstance(shape.get("group_id"), int):
            extra["group_id"] = shape["group_id"]
        score = checks.score(shape["score"]) if shape.get("score") is not None else None
        frame = checks.frame(shape.get("frame", 0), self.image)
        return found._replace(score=score, frame=frame, extra=extra or None)


def _points(shape: dict[str, Any], least: int) -> Polygon:
    points = shape.get("points")
    if not isinstance(points, list) or len(points) < least:
        count = len(points) if isinstance(points, list) else 0
        raise LabelError(f"The shape has {count} points; it needs {least}.", column="points")
    flat: Polygon = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise LabelError("A point is two numbers.", column="points")
        flat += [checks.number(value, "points") for value in point]
    return flat
