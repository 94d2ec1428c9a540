"""What a source says of its images, copied inside the database to the copies of those images."""

# ruff: noqa: S608 - names come from our own models, everything else is a parameter

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection

from annotations.models import AnnotatedImage, Annotation, AnnotationType
from datasets.models import Image

from .relations import among, relation

LISTED, ANNOTATIONS, IMAGES = (model._meta.db_table for model in (AnnotatedImage, Annotation, Image))
CLASS = ("kind", "frame", "value", "score")
COPIED = (*CLASS, "x", "y", "width", "height", "area", "counts", "polygons", "extra")
PIECE = "s.annotation_data_id = %s AND s.position BETWEEN %s AND %s"


@dataclass(frozen=True)
class Labelling:
    """From which annotation data of which source into which; ids of labels as (old, new), each old one once."""

    dataset_id: int
    number: int
    source_id: int
    target_id: int
    annotation_type: str
    labels: Sequence[tuple[int, int]]
    keeps_once: bool

    @property
    def merges(self) -> bool:
        """True where labels of this source become one."""
        return len({new for _old, new in self.labels}) < len(self.labels)


def copy_plain(labelling: Labelling, piece: tuple[int, int], *, leaving: Collection[int], position: int) -> int:
    """List the copies of a piece's images, from ``position`` on, and copy what is said of them; return their number.

    ``leaving`` are rows of the source (AnnotatedImage) that are dealt with elsewhere. Images without a copy are left
    out, and of single-label classification those that have no class in the result.
    """
    newest = AnnotatedImage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    others, left = among("s.id", leaving)
    having, given_labels = "", []
    if labelling.annotation_type == AnnotationType.SINGLE_LABEL:
        given, given_labels = _given(labelling)
        having = (
            f" AND EXISTS (SELECT 1 FROM {ANNOTATIONS} a JOIN {given} ON g.old = a.label_id WHERE a.item_id = s.id)"
        )
    where = [labelling.source_id, *piece]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LISTED} (annotation_data_id, image_id, position, annotation_count, problems)"
            " SELECT %s, t.id, %s + ROW_NUMBER() OVER (ORDER BY s.position) - 1, s.annotation_count, s.problems"
            f" FROM {LISTED} s JOIN {IMAGES} t ON t.source_image = s.image_id AND t.dataset_id = %s"
            f" AND t.source_number = %s WHERE {PIECE} AND NOT {others}{having} ORDER BY s.position",
            [labelling.target_id, position, labelling.dataset_id, labelling.number, *where, *left, *given_labels],
        )
        listed = cursor.rowcount
    if labelling.labels:
        _copy_annotations(labelling, piece, newer_than=newest)
    return listed


def _copy_annotations(labelling: Labelling, piece: tuple[int, int], *, newer_than: int) -> None:
    """Copy the annotations of those images of a piece that have just been listed."""
    given, parameters = _given(labelling)
    columns, rest = COPIED, " ORDER BY a.id"
    select = [f"a.{column}" for column in columns]
    if labelling.annotation_type == AnnotationType.MULTI_LABEL and labelling.merges:
        # Of labels that became one, an image has that one if it has any of them.
        columns, rest = CLASS, " GROUP BY n.id, g.new, a.kind, a.frame ORDER BY n.id, g.new"
        select = ["a.kind", "a.frame", "MAX(a.value)", "MAX(a.score)"]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ANNOTATIONS} (item_id, label_id, {', '.join(columns)})"
            f" SELECT n.id, g.new, {', '.join(select)} FROM {LISTED} s JOIN {IMAGES} t ON t.source_image = s.image_id"
            " AND t.dataset_id = %s AND t.source_number = %s"
            f" JOIN {LISTED} n ON n.annotation_data_id = %s AND n.image_id = t.id AND n.id > %s"
            f" JOIN {ANNOTATIONS} a ON a.item_id = s.id JOIN {given} ON g.old = a.label_id WHERE {PIECE}{rest}",
            [
                *(labelling.dataset_id, labelling.number, labelling.target_id, newer_than),
                *(*parameters, labelling.source_id, *piece),
            ],
        )


def _given(labelling: Labelling) -> tuple[str, list[object]]:
    return relation("g", {"old": "bigint", "new": "bigint"}, labelling.labels)
