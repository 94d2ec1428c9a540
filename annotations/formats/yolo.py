"""YOLO text files, one an image: class number, then a box by its centre or a polygon, in parts of the image's size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from . import checks
from .base import (
    DETECTION,
    SEGMENTATION,
    AnnotationType,
    Elsewhere,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelInfo,
    LabelSet,
    Listed,
    Options,
    OutAnnotation,
    OutMember,
    Output,
    SideFile,
    base_name,
    folder,
    read_whole,
    stem,
)
from .images import Images
from .names import Names
from .polygons import draw, outline_of
from .text import decode_text

MAX_TEXT = 16 * 1024 * 1024
LINE = re.compile(r"\s*\d+(?:\s+[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?){4,}\s*$")
NAME_FILES = ("classes.txt", "obj.names", "labels.txt", "names.txt")
MOST_DIGITS = 9  # of a class's number
DIGITS = 10  # of a part of the image's size: a hundred-millionth of a pixel


class Yolo:
    key = "yolo"
    title = "YOLO text files"
    reads = (DETECTION, SEGMENTATION)
    writes = (DETECTION, SEGMENTATION)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        texts: list[SideFile] = []
        empty: list[SideFile] = []
        boxes = outlines = False
        for file in files:
            name = base_name(file.path).lower()
            if not name.endswith(".txt") or name in NAME_FILES:
                continue
            if file.size == 0:
                empty.append(file)
                continue
            kinds = _kinds(file)
            if kinds is not None:
                texts.append(file)
                boxes, outlines = boxes or kinds[0], outlines or kinds[1]
        if not texts:
            return [], []
        folders = {folder(file.path) for file in texts}
        texts += [file for file in empty if folder(file.path) in folders or "labels/" in f"{folder(file.path)}/"]
        texts.sort(key=lambda file: file.path)
        names = [file for file in files if _names_classes(file)]
        types: list[AnnotationType] = [DETECTION] if boxes else []
        types += [SEGMENTATION] if outlines else []
        ends = {DETECTION: "_boxes", SEGMENTATION: "_masks"} if len(types) > 1 else {}
        sets = [
            LabelSet(self.key, one, [*names, *texts], "yolo" + ends.get(one, ""), "_yolo" + ends.get(one, ""))
            for one in types
        ]
        return sets, [*names, *texts]

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        names: dict[int, str] = {int(key): str(value) for key, value in options.get("names", {}).items()}
        texts: list[SideFile] = []
        for file in label_set.files:
            if not _names_classes(file):
                texts.append(file)
                continue
            try:
                _add_names(names, read_names(file))
            except LabelError as error:
                yield error.at(None, file.path)
        kind = label_set.annotation_type or DETECTION
        for file in texts:
            try:
                yield from _read(file, kind, names, images)
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        numbers = {label.name: place for place, label in enumerate(output.labels)}
        yield OutMember("data.yaml", [data_yaml(output.labels, {"train": "images", "val": "images"})])
        names = Names()
        for item in items:
            rows = "".join(_line(numbers[one.label], one, item.image) for one in item.annotations)
            yield OutMember(names.of(item.image.path, ".txt", "labels"), [rows.encode()])


def data_yaml(labels: Sequence[LabelInfo], places: Mapping[str, str]) -> bytes:
    """Return a data.yaml: where the images of each part lie, and the classes by number."""
    lines = [f"{part}: {place}\n" for part, place in places.items()]
    names = [f"  {place}: {json.dumps(label.name, ensure_ascii=False)}\n" for place, label in enumerate(labels)]
    return "".join(["path: .\n", *lines, "names:" + ("\n" if names else " {}\n"), *names]).encode()


def _kinds(file: SideFile) -> tuple[bool, bool] | None:
    """Say whether the file has lines that are boxes, and some that are polygons; None if it is no YOLO file."""
    try:
        lines = [line for line in decode_text(read_whole(file, MAX_TEXT)).splitlines() if line.strip()]
    except LabelError:
        return None
    if not lines or not LINE.match(lines[0]):
        return None
    counts = {len(line.split()) for line in lines}
    return bool(counts & {5, 6}), any(count >= 7 for count in counts)


def _names_classes(file: SideFile) -> bool:
    name = base_name(file.path).lower()
    return name in NAME_FILES or (name.endswith((".yaml", ".yml")) and file.size <= 1 << 20)


def read_names(file: SideFile) -> dict[int, str]:
    """Return the classes by number that a data.yaml (a list or a mapping) or a file of one name a line gives."""
    text = decode_text(read_whole(file, MAX_TEXT))
    if not file.path.lower().endswith((".yaml", ".yml")):
        return {place: checks.label_name(line) for place, line in enumerate(text.splitlines()) if line.strip()}
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise LabelError("The file is no sound YAML.", code="label_file_invalid") from None
    names: Any = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    return {int(key): _name(name) for key, name in names.items() if isinstance(key, int | str) and _is_number(str(key))}


def _add_names(names: dict[int, str], more: dict[int, str]) -> None:
    """Add a file's classes. LabelError where another file has given a number another name: which is meant where?"""
    for number, name in more.items():
        if names.setdefault(number, name) != name:
            message = f"The class {number} is “{names[number]}” in another file and “{name}” in this one."
            raise LabelError(message, column="names", code="label_conflict")


def _name(value: Any) -> str:
    """Return a class's name. Lists are not written out: aliases make them as large as one likes."""
    return checks.label_name(str(value) if isinstance(value, str | int | float) else None, "names")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= MOST_DIGITS


def _read(file: SideFile, kind: AnnotationType, names: dict[int, str], images: Images) -> Iterator[Item]:
    image = _image(file.path, images)
    yield Listed(image.id, 1)
    for row, line in enumerate(decode_text(read_whole(file, MAX_TEXT)).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            outlined = len(fields) >= 7
            if len(fields) < 5 or (outlined and len(fields) % 2 == 0):
                raise LabelError(f"The row has {len(fields)} numbers; a box has 5, a polygon an odd number from 7.")
            if outlined != (kind == SEGMENTATION):
                continue
            label = _label(fields[0], names)
            numbers = [checks.number(text, "coordinates") for text in fields[1:]]
            yield _outlined(label, numbers, row, image) if outlined else _boxed(label, numbers, row, image)
        except LabelError as error:
            yield error.at(row, file.path)


def _image(path: str, images: Images) -> ImageRef:
    """Return the image: in a folder "images" where the labels lie in one named "labels", or without either."""
    parts = folder(path).split("/") if folder(path) else []
    places = [place for place, part in enumerate(parts) if part.lower() == "labels"]
    if places:
        last = places[-1]
        try:
            return images.find("/".join([*parts[:last], "images", *parts[last + 1 :], stem(path)]))
        except Elsewhere:
            raise
        except LabelError:
            parts = parts[:last] + parts[last + 1 :]
    return images.find("/".join([*parts, stem(path)]))


def _label(text: str, names: dict[int, str]) -> str:
    if not _is_number(text):
        raise LabelError(f"“{text[:40]}” is no class number.", column="class")
    number = int(text)
    if names and number not in names:
        raise LabelError(f"There is no class with the number {number}.", column="class")
    return names.get(number, str(number))


def _boxed(label: str, numbers: list[float], row: int, image: ImageRef) -> Found:
    center_x, center_y, across, down = numbers[:4]
    width, height = _pixels(across * image.width), _pixels(down * image.height)
    x = _pixels((center_x - across / 2) * image.width)
    y = _pixels((center_y - down / 2) * image.height)
    score = checks.score(numbers[4]) if len(numbers) > 4 else None
    return Found(image.id, label, row, None, checks.box(x, y, width, height, image), score=score)


def _outlined(label: str, numbers: list[float], row: int, image: ImageRef) -> Found:
    polygon = [_pixels(value * (image.height if place % 2 else image.width)) for place, value in enumerate(numbers)]
    try:
        mask = draw([polygon], image.height, image.width)
    except ValueError as error:
        raise LabelError(f"The polygon cannot be drawn: {error}", column="coordinates") from error
    return Found(image.id, label, row, mask=checks.filled(mask, "coordinates"), polygons=[polygon])


def _pixels(value: float) -> float:
    return round(value, 5)  # so that a whole number of pixels comes back as one


def _line(number: int, annotation: OutAnnotation, image: ImageRef) -> str:
    if annotation.mask is not None:
        polygons = outline_of(annotation.mask, annotation.polygons)
        return "".join(f"{number} {_parts(polygon, image)}\n" for polygon in polygons)
    if annotation.bbox is None:
        return ""
    x, y, width, height = annotation.bbox
    score = "" if annotation.score is None else f" {annotation.score!r}"
    return f"{number} {_parts([x + width / 2, y + height / 2, width, height], image)}{score}\n"


def _parts(values: Sequence[float], image: ImageRef) -> str:
    sizes = (image.width, image.height)
    return " ".join(
        f"{value / sizes[place % 2]:.{DIGITS}f}".rstrip("0").rstrip(".") for place, value in enumerate(values)
    )
