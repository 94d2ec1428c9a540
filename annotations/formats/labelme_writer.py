"""LabelMe JSON out: one file an image, beside it, without the picture inside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .base import MULTI_LABEL, ItemOut, OutAnnotation, OutMember, Output, base_name
from .names import Names
from .polygons import outline_of

VERSION = "5.5.0"


def members(output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
    names = Names()
    for item in items:
        content = json.dumps(_document(output, item), ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        yield OutMember(names.of(item.image.path, ".json"), [content])


def _document(output: Output, item: ItemOut) -> dict[str, Any]:
    flags: dict[str, bool] = {}
    shapes: list[dict[str, Any]] = []
    group = max((_group(one) for one in item.annotations), default=-1)
    for annotation in item.annotations:
        if output.annotation_type == MULTI_LABEL:
            flags[annotation.label] = bool(annotation.value)
        elif annotation.mask is not None:
            polygons = outline_of(annotation.mask, annotation.polygons)
            kept = _group(annotation)
            if len(polygons) > 1 and kept < 0:
                group += 1
                kept = group
            shapes += [_shape(annotation, "polygon", _pairs(polygon), kept) for polygon in polygons]
        elif annotation.bbox is not None:
            x, y, width, height = annotation.bbox
            shapes.append(_shape(annotation, "rectangle", [[x, y], [x + width, y + height]], _group(annotation)))
    return {
        "version": VERSION,
        "flags": flags,
        "shapes": shapes,
        "imagePath": base_name(item.image.path),
        "imageData": None,
        "imageHeight": item.image.height,
        "imageWidth": item.image.width,
    }


def _group(annotation: OutAnnotation) -> int:
    group = (annotation.extra or {}).get("group_id", -1)
    return group if isinstance(group, int) else -1


def _pairs(polygon: list[float]) -> list[list[float]]:
    return [polygon[place : place + 2] for place in range(0, len(polygon), 2)]


def _shape(annotation: OutAnnotation, kind: str, points: list[list[float]], group: int) -> dict[str, Any]:
    extra = annotation.extra or {}
    shape: dict[str, Any] = {
        "label": annotation.label,
        "points": points,
        "group_id": group if group >= 0 else None,
        "description": extra.get("description", ""),
        "shape_type": kind,
        "flags": extra.get("flags", {}),
        "mask": None,
    }
    if annotation.score is not None:
        shape["score"] = annotation.score
    if annotation.frame:
        shape["frame"] = annotation.frame
    return shape
