"""COCO JSON out, in one pass: annotations are sent at once, images are kept aside in a file and follow."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from .base import SEGMENTATION, ImageRef, ItemOut, OutAnnotation, Output
from .ids import Numbers
from .polygons import drawn_by

FLUSH = 64 * 1024
IN_MEMORY = 4 << 20


def document(output: Output, items: Iterable[ItemOut]) -> Iterator[bytes]:
    """Yield the document. Identifiers that came in go out again, unless two sources used the same."""
    kept = output.options.get("document") or {}
    yield b'{"info":' + _json(kept.get("info", {})) + b',"licenses":' + _json(kept.get("licenses", []))
    categories = Numbers()
    numbers = {label.name: categories.take((label.extra or {}).get("id")) for label in output.labels}
    entries = [{**(label.extra or {}), "id": numbers[label.name], "name": label.name} for label in output.labels]
    yield b',"categories":' + _json(entries) + b',"annotations":['
    with (
        tempfile.SpooledTemporaryFile(IN_MEMORY) as labelled,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as negative,
    ):
        images, annotations = Numbers(), Numbers()
        pending = bytearray()
        separator = b""
        for item in items:
            if not item.annotations:
                negative.write(_image(item.image, 0) + b"\n")
                continue
            image = images.take((item.annotations[0].extra or {}).get("image_id"))
            labelled.write(_image(item.image, image) + b"\n")
            for annotation in item.annotations:
                number = annotations.take((annotation.extra or {}).get("id"))
                category = numbers[annotation.label]
                pending += separator + _json(_annotation(output, annotation, number, image, category))
                separator = b","
            if len(pending) > FLUSH:
                yield bytes(pending)
                pending.clear()
        yield bytes(pending) + b'],"images":['
        yield from _images(labelled, negative, images)
    yield b"]}\n"


def _images(labelled: IO[bytes], negative: IO[bytes], numbers: Numbers) -> Iterator[bytes]:
    separator = b""
    for spool in (labelled, negative):
        spool.seek(0)
        for line in spool:
            entry = line[:-1]
            if spool is negative:
                entry = entry.replace(b'{"id":0', b'{"id":%d' % numbers.take(), 1)
            yield separator + entry
            separator = b","


def _image(image: ImageRef, number: int) -> bytes:
    return _json({"id": number, "file_name": image.path, "width": image.width, "height": image.height})


def _annotation(output: Output, annotation: OutAnnotation, number: int, image: int, category: int) -> dict[str, Any]:
    entry: dict[str, Any] = dict(annotation.extra or {})
    entry |= {"id": number, "image_id": image, "category_id": category}
    if output.annotation_type == SEGMENTATION and annotation.mask is not None:
        entry["segmentation"] = drawn_by(annotation.mask, annotation.polygons) or annotation.mask.to_coco()
        entry["bbox"] = list(annotation.bbox or annotation.mask.bbox)
        entry.setdefault("area", annotation.mask.area)
    elif annotation.bbox is not None:
        entry.setdefault("segmentation", [])
        entry["bbox"] = [_plain(value) for value in annotation.bbox]
        entry.setdefault("area", _plain(annotation.bbox[2] * annotation.bbox[3]))
    entry.setdefault("iscrowd", 0)
    if annotation.score is not None:
        entry["score"] = annotation.score
    if annotation.frame:
        entry["frame"] = annotation.frame
    return entry


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
