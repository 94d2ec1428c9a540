"""A piece of annotation data copied inside the database: listed images, then what is said of them.

One INSERT … SELECT each: rows do not pass through Python. A piece is a range of positions of the source.
"""

# ruff: noqa: S608 - table names come from our own models, everything else is a parameter

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotations.models import AnnotatedImage, Annotation, AnnotationType, Kind

LISTED, ANNOTATIONS = AnnotatedImage._meta.db_table, Annotation._meta.db_table
CLASSIFICATION = (AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL)
COPIED = ("kind", "value", "x", "y", "width", "height", "area", "counts", "polygons", "score", "frame", "extra")


@dataclass(frozen=True)
class Copy:
    """From which annotation data into which, and the ids of labels as (old, new)."""

    source_id: int
    source_type: str
    target_id: int
    target_type: str
    labels: Sequence[tuple[int, int]]

    @property
    def to_classification(self) -> bool:
        """True where boxes or masks become a class of the whole image."""
        return self.target_type in CLASSIFICATION and self.source_type not in CLASSIFICATION

    def only(self, new_labels: Collection[int]) -> Copy:
        labels = [pair for pair in self.labels if pair[1] in new_labels]
        return Copy(self.source_id, self.source_type, self.target_id, self.target_type, labels)


def copy_images(copy: Copy, piece: tuple[int, int]) -> Mapping[str, int]:
    """List the images of a piece; return how many were left out, by reason.

    All of them, since they were looked at: those without any of the labels have nothing to label. But of
    single-label classification those with one class only.
    """
    condition, parameters = "", []
    left_out = {}
    if copy.target_type == AnnotationType.SINGLE_LABEL:
        given, ids = _given(copy.labels)
        classes = (
            f"(SELECT COUNT(DISTINCT given.new) FROM {ANNOTATIONS} a JOIN {given} ON given.old = a.label_id"
            f" WHERE a.item_id = s.id{_present(copy)})"
        )
        condition, parameters = (f" AND {classes} >= 1", ids)
        if copy.to_classification:
            condition = f" AND {classes} = 1"
            left_out["conflicts"] = _count_images(copy, piece, f" AND {classes} > 1", ids)
        left_out["without_class"] = _count_images(copy, piece, f" AND {classes} = 0", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LISTED} (annotation_data_id, image_id, position, annotation_count)"
            f" SELECT %s, s.image_id, s.position, 0 FROM {LISTED} s"
            f" WHERE {_PIECE}{condition} ORDER BY s.position",
            [copy.target_id, copy.source_id, *piece, *parameters],
        )
    return left_out


def copy_annotations(copy: Copy, piece: tuple[int, int]) -> Mapping[str, int]:
    """Copy what is said of the images of a piece that have been listed; return how many were left out, by reason."""
    if not copy.labels:
        return {}
    given, ids = _given(copy.labels)
    joined = (
        f" FROM {LISTED} s JOIN {LISTED} n ON n.annotation_data_id = %s AND n.image_id = s.image_id"
        f" JOIN {ANNOTATIONS} a ON a.item_id = s.id JOIN {given} ON given.old = a.label_id WHERE {_PIECE}"
    )
    parameters = [copy.target_id, *ids, copy.source_id, *piece]
    columns, select, rest = _what(copy)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ANNOTATIONS} (item_id, label_id, {columns}) SELECT n.id, given.new, {select}{joined}{rest}",
            parameters,
        )
        if copy.target_type == AnnotationType.DETECTION and copy.source_type == AnnotationType.SEGMENTATION:
            cursor.execute(f"SELECT COUNT(*){joined} AND NOT (a.width > 0 AND a.height > 0)", parameters)
            return {"empty_masks": cursor.fetchone()[0]}
    return {}


_PIECE = "s.annotation_data_id = %s AND s.position BETWEEN %s AND %s"


def _what(copy: Copy) -> tuple[str, str, str]:
    """Return columns, what is selected for them, and the end of the statement."""
    if copy.to_classification:
        kind = Kind.SINGLE_LABEL if copy.target_type == AnnotationType.SINGLE_LABEL else Kind.MULTI_LABEL
        rest = f"{_present(copy)} GROUP BY n.id, given.new ORDER BY n.id, given.new"
        return "kind, value, score, frame", f"'{kind.value}', 1, MAX(a.score), 0", rest
    if copy.target_type == AnnotationType.MULTI_LABEL:  # one has it: the merged label is there
        rest = " GROUP BY n.id, given.new, a.frame ORDER BY n.id, given.new"
        return "kind, value, score, frame", f"'{Kind.MULTI_LABEL.value}', MAX(a.value), MAX(a.score), a.frame", rest
    if copy.target_type == AnnotationType.DETECTION and copy.source_type == AnnotationType.SEGMENTATION:
        box = "a.x, a.y, a.width, a.height, a.width * a.height"
        rest = " AND a.width > 0 AND a.height > 0 ORDER BY a.id"
        return "kind, x, y, width, height, area, score, frame", f"'{Kind.BOX.value}', {box}, a.score, a.frame", rest
    return ", ".join(COPIED), ", ".join(f"a.{column}" for column in COPIED), " ORDER BY a.id"


def _present(copy: Copy) -> str:
    """An empty mask shows nothing: its image does not have the class."""
    return " AND a.area > 0" if copy.source_type == AnnotationType.SEGMENTATION else ""


def _count_images(copy: Copy, piece: tuple[int, int], condition: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM {LISTED} s WHERE {_PIECE}{condition}", [copy.source_id, *piece, *parameters]
        )
        return int(cursor.fetchone()[0])


def _given(pairs: Sequence[tuple[int, int]]) -> tuple[str, list[Any]]:
    """Return a relation ``given(old, new)`` and its parameters."""
    if connection.vendor == "postgresql":
        old, new = ([pair[side] for pair in pairs] for side in (0, 1))
        return "unnest(%s::bigint[], %s::bigint[]) AS given(old, new)", [old, new]
    relation = (
        "(SELECT json_extract(value, '$[0]') AS old, json_extract(value, '$[1]') AS new FROM json_each(%s)) AS given"
    )
    return relation, [json.dumps(pairs)]
