"""Labels bent while they are read: some of them, under other names, several as one, of another type (product.md 13.3,
13.4). Which label becomes which was decided before, by ``annotations.derive.make_plan``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from annotations.formats.base import Found, Item, LabelInfo, Listed
from annotations.models import AnnotationType

CLASSIFICATION = (AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL)


def reshaped(items: Iterable[Item], wanted: Mapping[str, Any], *, source_type: str) -> Iterator[Item]:
    """Yield ``items`` of ``source_type`` as ``wanted`` says: ``annotation_type``, ``pairs`` of [old label, new label].

    All images stay listed, but of single-label classification only those that have exactly one of the new classes.
    Boxes and masks stay as they are; where they become classes, each class is said once of an image, with the highest
    confidence. An empty mask shows nothing.
    """
    target = wanted["annotation_type"]
    becomes: dict[str, list[str]] = {}
    for old, new in wanted["pairs"]:
        becomes.setdefault(old, []).append(new)
    renamed = _renamed(items, becomes)
    if target == AnnotationType.SINGLE_LABEL:
        yield from _one_class_an_image(renamed, source_type)
    elif target == AnnotationType.MULTI_LABEL:
        yield from _classes(renamed, source_type)
    elif target == AnnotationType.DETECTION and source_type == AnnotationType.SEGMENTATION:
        yield from _boxes(renamed)
    else:
        yield from renamed


def _renamed(items: Iterable[Item], becomes: Mapping[str, list[str]]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Found):
            if item.label not in becomes:
                yield Listed(item.image, item.row)
            for new in becomes.get(item.label, ()):
                yield item._replace(label=new)
        elif isinstance(item, LabelInfo):
            for new in becomes.get(item.name, ()):
                yield LabelInfo(new)
        else:
            yield item


def _boxes(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Found):
            if item.mask is None or not item.mask.area:
                yield Listed(item.image, item.row)
                continue
            item = item._replace(bbox=item.bbox or item.mask.bbox, mask=None, polygons=None)
        yield item


def _classes(items: Iterable[Item], source_type: str) -> Iterator[Item]:
    """Yield what each image has, said once; of classes also what it has not. An image may come again in the file."""
    found: dict[tuple[int, str, int], Found] = {}
    for item in items:
        if not isinstance(item, Found):
            yield item
            continue
        said = _as_class(item, source_type)
        if said is None:
            yield Listed(item.image, item.row)
            continue
        key = (said.image, said.label, said.frame)
        found[key] = _stronger(found[key], said) if key in found else said
    yield from found.values()


def _one_class_an_image(items: Iterable[Item], source_type: str) -> Iterator[Item]:
    found: dict[tuple[int, int], dict[str, Found]] = {}
    for item in items:
        if isinstance(item, Listed):
            continue
        if not isinstance(item, Found):
            yield item
        elif (said := _as_class(item, source_type)) is not None and said.value:
            classes = found.setdefault((said.image, said.frame), {})
            classes[said.label] = _stronger(classes[said.label], said) if said.label in classes else said
    for classes in found.values():
        if len(classes) == 1:
            yield from classes.values()


def _as_class(found: Found, source_type: str) -> Found | None:
    if source_type in CLASSIFICATION:
        return found
    if found.mask is not None and not found.mask.area:
        return None
    return Found(found.image, found.label, found.row, value=1, score=found.score)


def _stronger(one: Found, other: Found) -> Found:
    """Of two that say the same, keep the one that says the image has it, with the higher confidence."""
    scores = [score for score in (one.score, other.score) if score is not None]
    return one._replace(value=max(one.value or 0, other.value or 0), score=max(scores, default=None))
