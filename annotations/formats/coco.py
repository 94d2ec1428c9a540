"""COCO JSON in: boxes, polygons and run lengths; also a list of results. One annotation is in memory at a time.

Areas, crowds, identifiers and whatever else an annotation says is kept in ``extra`` ("id", "image_id", "iscrowd",
"area" where it is not the box's or the mask's own …), what a category says beyond its name in ``LabelInfo``. The
document's "info" and "licenses" are put into the set's ``options["document"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from . import checks
from .base import (
    DETECTION,
    SEGMENTATION,
    AnnotationType,
    Box,
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
    Polygon,
    SideFile,
    folder,
    stem,
)
from .coco_writer import document
from .ids import Numbers
from .images import Images
from .jsonstream import walk
from .masks import Mask
from .orientation import Placement
from .polygons import draw

CHUNK = 1 << 20
OVERLAP = 256
MOST_KEPT = 1_000  # entries of "info" and "licenses"
ANNOTATION = re.compile(rb'"category_id"\s*:')
OUTLINED = re.compile(rb'"segmentation"\s*:\s*(?:\{|\[\s*[\[\d{])')
DOCUMENT = re.compile(rb'"annotations"\s*:\s*\[|^\s*\[\s*\{[^}]*"(?:image_id|category_id)"\s*:')
OWN = frozenset({"category_id", "bbox", "segmentation", "score", "frame", "iscrowd", "area"})


class Coco:
    key = "coco"
    title = "COCO JSON"
    reads = (DETECTION, SEGMENTATION)
    writes = (DETECTION, SEGMENTATION)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        sets: list[LabelSet] = []
        claimed: list[SideFile] = []
        for file in files:
            if not file.path.lower().endswith(".json"):
                continue
            known, annotations, outlined = _counted(file)
            if not known:
                continue
            claimed.append(file)
            name = stem(file.path)
            kinds: list[AnnotationType] = [SEGMENTATION] if outlined else [DETECTION]
            if outlined and outlined < annotations:
                kinds.insert(0, DETECTION)
            for kind in kinds:
                end = "" if len(kinds) == 1 else "_boxes" if kind == DETECTION else "_masks"
                options = {"mixed": True} if len(kinds) > 1 else {}
                sets.append(LabelSet(self.key, kind, [file], name + end, f"_{name}{end}", options))
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for file in label_set.files:
            try:
                yield from _Reader(label_set, file, images, options).read()
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        yield OutMember(f"{output.name}.json", document(output, items))


def _counted(file: SideFile) -> tuple[bool, int, int]:
    """Scan the bytes: is it COCO at all, how many annotations, how many with a segmentation."""
    known, annotations, outlined, passed = False, 0, 0, 0
    with file.open() as stream:
        before = b""
        while True:
            chunk = stream.read(CHUNK)
            passed += len(chunk)
            window = before + chunk
            known = known or DOCUMENT.search(window) is not None
            last = not chunk
            limit = len(window) if last else max(0, len(window) - OVERLAP)
            annotations += sum(1 for match in ANNOTATION.finditer(window) if match.start() < limit)
            outlined += sum(1 for match in OUTLINED.finditer(window) if match.start() < limit)
            before = window[limit:]
            if last or (not known and not annotations and passed > 64 * CHUNK):
                return known, annotations, outlined


class _Reader:
    def __init__(self, label_set: LabelSet, file: SideFile, images: Images, options: Options):
        self.label_set, self.file, self.images, self.options = label_set, file, images, options
        self.kind = label_set.annotation_type or DETECTION
        self.beside = folder(file.path)
        self.known: dict[Any, int] = {}  # COCO's image → its place among the images
        self.refused: dict[Any, LabelError] = {}
        self.placements: dict[int, Placement] = {}  # of images whose stated size is not the displayed one
        self.categories: dict[Any, str] = {}
        self.names_classes = False
        self.ids = Numbers()
        self.last: tuple[Any, ImageRef | None] = (object(), None)

    def read(self) -> Iterator[Item]:
        ready: set[str] = set()
        postponed = False
        with self.file.open() as stream:
            for key, place, value in walk(stream):
                if key in ("annotations", ""):
                    postponed = postponed or (key != "" and ready != {"images", "categories"})
                    if not postponed:
                        yield from self.annotation(place, value)
                elif key == "images" and place:
                    ready.add(key)
                    yield from self.image(place, value)
                elif key == "categories" and place:
                    ready.add(key)
                    yield from self.category(place, value)
                elif key in ("images", "categories"):
                    raise LabelError(f"“{key}” must be a list.", column=key, code="label_file_invalid")
                elif key in ("info", "licenses"):
                    self.keep(key, place, value)
        if postponed:
            with self.file.open() as stream:
                for key, place, value in walk(stream):
                    if key == "annotations":
                        yield from self.annotation(place, value)

    def keep(self, key: str, place: int, value: Any) -> None:
        """Keep what an export gives back; read again, the file adds nothing."""
        kept = self.label_set.options.setdefault("document", {})
        if not place:
            kept[key] = value
            return
        entries = kept.get(key)
        if not isinstance(entries, list):
            entries = kept[key] = []
        if len(entries) < MOST_KEPT and value not in entries:
            entries.append(value)

    def image(self, place: int, entry: Any) -> Iterator[Item]:
        try:
            if not isinstance(entry, dict) or not isinstance(entry.get("file_name"), str) or "id" not in entry:
                raise LabelError("An image needs an id and a file_name.", column=f"images[{place}]")
            number = _hashable(entry["id"])
            try:
                image = self.images.find(entry["file_name"], beside=self.beside)
                placement = Placement(image, _size(entry.get("width")), _size(entry.get("height")), "images.width")
            except LabelError as error:
                self.refused[number] = error
                raise
            if number in self.known:
                raise _used_twice("image", number, "images.id")
        except LabelError as error:
            yield error.at(place, self.file.path)
            return
        self.known[number] = image.place
        if placement.turned:
            self.placements[image.place] = placement
        yield Listed(image.id, place)

    def category(self, place: int, entry: Any) -> Iterator[Item]:
        self.names_classes = True
        try:
            if not isinstance(entry, dict) or "id" not in entry:
                raise LabelError("A category needs an id and a name.", column=f"categories[{place}]")
            name = checks.label_name(entry.get("name"), "categories.name")
            number = _hashable(entry["id"])
            if self.categories.setdefault(number, name) != name:
                raise _used_twice("category", number, "categories.id")
        except LabelError as error:
            yield error.at(place, self.file.path)
            return
        yield LabelInfo(name, {key: value for key, value in entry.items() if key != "name"})

    def annotation(self, place: int, entry: Any) -> Iterator[Item]:
        try:
            if not isinstance(entry, dict):
                raise LabelError("An annotation must be an object.")
            outlined = bool(entry.get("segmentation"))
            if self.options.get("mixed") and outlined != (self.kind == SEGMENTATION):
                return
            image = self.image_of(entry.get("image_id"))
            label = self.label_of(entry)
            number = entry.get("id")
            if isinstance(number, int) and not self.ids.add(number):
                raise _used_twice("annotation", number, "id")
            yield self.found(image, label, entry, place)
        except LabelError as error:
            yield error.at(place, self.file.path)

    def image_of(self, number: Any) -> ImageRef:
        number = _hashable(number)
        if self.last[0] == number and self.last[1] is not None:
            return self.last[1]
        place = self.known.get(number)
        if place is not None:
            image = self.images[place]
        elif number in self.refused:
            raise self.refused[number]
        else:
            image = self.unlisted(number)
        self.last = (number, image)
        return image

    def unlisted(self, number: Any) -> ImageRef:
        """Return the image of a list of results, which names no files: by its number, or as COCO names its pictures."""
        if not self.known and number is not None:
            for name in (str(number), str(number).zfill(12)):
                with suppress(LabelError):
                    return self.images.find(name)
        shown = str(number)[:40]
        raise LabelError(f"There is no image with the id {shown}.", column="image_id", code="label_image_unknown")

    def label_of(self, entry: dict[str, Any]) -> str:
        number = _hashable(entry.get("category_id"))
        label = self.categories.get(number)
        if label is None:
            if self.names_classes or number is None:
                raise LabelError(f"There is no category with the id {str(number)[:40]}.", column="category_id")
            given = self.options.get("categories", {})
            label = checks.label_name(given.get(str(number)) or entry.get("category_name") or str(number))
        return label

    def found(self, image: ImageRef, label: str, entry: dict[str, Any], place: int) -> Found:
        placement = self.placements.get(image.place)
        extra = {key: value for key, value in entry.items() if key not in OWN}
        crowd, area = entry.get("iscrowd"), entry.get("area")
        if crowd:
            extra["iscrowd"] = crowd
        score = checks.score(entry["score"]) if entry.get("score") is not None else None
        frame = checks.frame(entry.get("frame", 0), image)
        mask: Mask | None = None
        polygons: list[Polygon] | None = None
        if self.kind == SEGMENTATION:
            mask, polygons = _mask_of(entry.get("segmentation"), placement or Placement(image, None, None))
            box = _box_of(entry["bbox"], image, placement, checked=False) if entry.get("bbox") else None
            own_area: float = mask.area
        else:
            box = _box_of(entry.get("bbox"), image, placement, checked=True)
            own_area = box[2] * box[3]
            if entry.get("segmentation"):
                extra["segmentation"] = entry["segmentation"]
        if area is not None and area != own_area:
            extra["area"] = checks.number(area, "area")
        return Found(image.id, label, place, None, box, mask, polygons, score, frame, extra or None)


def _box_of(value: Any, image: ImageRef, placement: Placement | None, *, checked: bool) -> Box:
    if not isinstance(value, list) or len(value) != 4:
        raise LabelError("A bbox is four numbers: x, y, width, height.", column="bbox")
    x, y, width, height = (checks.number(one, "bbox") for one in value)
    if placement is not None:
        x, y, width, height = placement.box(x, y, width, height)
    return checks.box(x, y, width, height, image) if checked else (x, y, width, height)


def _mask_of(value: Any, placement: Placement) -> tuple[Mask, list[Polygon] | None]:
    width, height = placement.size
    image = placement.image
    try:
        if isinstance(value, dict):
            size = value.get("size")
            if size != [height, width]:
                raise LabelError(
                    f"The mask's size {size} is not the image's, [{height}, {width}].", column="segmentation"
                )
            mask = Mask.from_counts(height, width, value.get("counts"))  # type: ignore[arg-type]
            return checks.filled(placement.mask(mask), "segmentation"), None
        if not isinstance(value, list) or not value:
            raise LabelError("The annotation has no segmentation.", column="segmentation")
        polygons = [value] if not isinstance(value[0], list) else value
        drawn = [placement.polygon([checks.number(one, "segmentation") for one in polygon]) for polygon in polygons]
        return checks.filled(draw(drawn, image.height, image.width), "segmentation"), drawn
    except (ValueError, TypeError) as error:
        raise LabelError(f"The segmentation cannot be drawn: {error}", column="segmentation") from error


def _used_twice(what: str, number: Any, column: str) -> LabelError:
    return LabelError(f"The {what} id {str(number)[:40]} is used twice.", column=column, code="label_conflict")


def _size(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _hashable(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise LabelError("An id must be a number or a text.", column="id")
    return value
