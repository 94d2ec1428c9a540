"""Pascal VOC XML, one file an image. A box's width is xmax - xmin, as most tools write and read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from . import checks
from .base import (
    DETECTION,
    Elsewhere,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
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
from .labelcsv import plain
from .names import Names
from .orientation import Placement
from .xmltree import parse

MAX_XML = 16 * 1024 * 1024
KEPT = ("pose", "truncated", "difficult", "occluded")
DEFAULTS = {"pose": "Unspecified", "truncated": "0", "difficult": "0", "occluded": "0"}


class Voc:
    key = "voc"
    title = "Pascal VOC XML"
    reads = (DETECTION,)
    writes = (DETECTION,)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        claimed = [file for file in files if file.path.lower().endswith(".xml") and _is_voc(file)]
        return ([LabelSet(self.key, DETECTION, claimed, "voc", "_voc")] if claimed else []), claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for file in label_set.files:
            try:
                yield from _read(file, images)
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        names = Names()
        for item in items:
            yield OutMember(names.of(item.image.path, ".xml", "Annotations"), [_document(item).encode()])


def _is_voc(file: SideFile) -> bool:
    with file.open() as stream:
        return b"<annotation" in stream.read(4096)


def _read(file: SideFile, images: Images) -> Iterator[Item]:
    root = parse(read_whole(file, MAX_XML))
    if root.tag != "annotation":
        raise LabelError("The XML is no annotation of Pascal VOC.", code="label_file_invalid")
    image = _image(root, file.path, images)
    width, height = (_whole(root.findtext(f"size/{name}")) for name in ("width", "height"))
    placement = Placement(image, width, height)
    yield Listed(image.id, 1)
    for row, entry in enumerate(root.iter("object"), 1):
        try:
            yield _found(entry, row, image, placement)
        except LabelError as error:
            yield error.at(row, file.path)


def _image(root: Element, path: str, images: Images) -> ImageRef:
    exact = images.at_path((root.findtext("path") or "").strip())
    if exact is not None:
        return exact
    name = (root.findtext("filename") or "").strip()
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


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() and len(text) < 9 else None


def _found(entry: Element, row: int, image: ImageRef, placement: Placement) -> Found:
    label = checks.label_name(entry.findtext("name"), "name")
    corners = entry.find("bndbox")
    if corners is None:
        raise LabelError("The object has no bndbox.", column="bndbox")
    left, top, right, bottom = (
        checks.number((corners.findtext(name) or "").strip(), name) for name in ("xmin", "ymin", "xmax", "ymax")
    )
    x, y, width, height = placement.box(left, top, right - left, bottom - top)
    if right <= left or bottom <= top:
        width, height = right - left, bottom - top
    box = checks.box(x, y, width, height, image)
    extra: dict[str, Any] = {}
    for name in KEPT:
        text = (entry.findtext(name) or "").strip()
        if text and text != DEFAULTS[name]:
            extra[name] = text
    confidence = (entry.findtext("confidence") or entry.findtext("score") or "").strip()
    score = checks.score(confidence) if confidence else None
    return Found(image.id, label, row, None, box, score=score, extra=extra or None)


def _document(item: ItemOut) -> str:
    image = item.image
    lines = [
        "<annotation>",
        f"  <folder>{escape(folder(image.path))}</folder>",
        f"  <filename>{escape(base_name(image.path))}</filename>",
        f"  <path>{escape(image.path)}</path>",
        f"  <size><width>{image.width}</width><height>{image.height}</height><depth>3</depth></size>",
        "  <segmented>0</segmented>",
        *(_object(one) for one in item.annotations if one.bbox is not None),
        "</annotation>",
        "",
    ]
    return "\n".join(lines)


def _object(annotation: OutAnnotation) -> str:
    assert annotation.bbox is not None
    x, y, width, height = annotation.bbox
    extra = annotation.extra or {}
    kept = "".join(f"<{name}>{escape(str(extra.get(name, DEFAULTS[name])))}</{name}>" for name in KEPT[:3])
    corners = {"xmin": x, "ymin": y, "xmax": x + width, "ymax": y + height}
    box = "".join(f"<{name}>{plain(value)}</{name}>" for name, value in corners.items())
    score = "" if annotation.score is None else f"<confidence>{plain(annotation.score)}</confidence>"
    return f"  <object><name>{escape(annotation.label)}</name>{kept}<bndbox>{box}</bndbox>{score}</object>"
