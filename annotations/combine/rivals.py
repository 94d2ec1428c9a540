"""Images of which two sources speak: they have the same bytes. What the result says of them is chosen by the recipe.

These rows pass through Python, a piece at a time, so that the preview and the work judge by the same function.
"""

# ruff: noqa: S608 - names come from our own models, everything else is a parameter

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F

from annotations.models import AnnotatedImage, Annotation, AnnotationType, OnConflict
from deepcap.common.bulk import insert_rows

from .agreement import Said, disagree
from .labels import COPIED, IMAGES, LISTED, PIECE, Labelling

CONTESTED = 1 << 14
"""Mark (AnnotatedImage.problems) of images that are to be left unlabelled, until everything has been copied."""

FIELDS = ("item", "label", *COPIED)


@dataclass(frozen=True)
class Rival:
    """``item`` of the source speaks of bytes that the target has from an earlier source.

    ``copy`` is the image made of its own image, None where duplicates are kept once; ``earlier`` the first image of
    those bytes; ``listed`` what the target lists of them already, None where no earlier source speaks of them.
    """

    item: int
    copy: int | None
    earlier: int
    listed: int | None
    size: tuple[int, int]


def find_rivals(labelling: Labelling, piece: tuple[int, int]) -> list[Rival]:
    """Return the items of a piece that cannot simply be copied, in the order of their positions."""
    there = (labelling.dataset_id, labelling.number)
    with connection.cursor() as cursor:
        # One row an item, however many earlier images have its bytes.
        earlier = f"FROM {IMAGES} e WHERE e.blob_id = i.blob_id AND e.dataset_id = %s AND e.source_number < %s"
        spoken_of = (
            f"SELECT l.id FROM {LISTED} l JOIN {IMAGES} e ON e.id = l.image_id WHERE l.annotation_data_id = %s"
            " AND e.blob_id = i.blob_id AND e.dataset_id = %s AND e.source_number < %s ORDER BY e.id LIMIT 1"
        )
        cursor.execute(
            f"SELECT s.id, t.id, ({spoken_of}), (SELECT MIN(e.id) {earlier}), i.height, i.width"
            f" FROM {LISTED} s JOIN {IMAGES} i ON i.id = s.image_id"
            f" LEFT JOIN {IMAGES} t ON t.source_image = i.id AND t.dataset_id = %s AND t.source_number = %s"
            f" WHERE {PIECE} AND EXISTS (SELECT 1 {earlier}) ORDER BY s.position, s.id",
            [labelling.target_id, *there * 3, labelling.source_id, *piece, *there],
        )
        rows = [row for row in cursor.fetchall() if row[1] is None or row[2] is not None]
    listed = [row[2] for row in rows if row[2] is not None]
    image_of = dict(AnnotatedImage.objects.filter(pk__in=listed).values_list("pk", "image"))
    return [
        Rival(item, copy, image_of.get(spoken, earliest), spoken, (height, width))
        for item, copy, spoken, earliest, height, width in rows
    ]


def settle(labelling: Labelling, rivals: Sequence[Rival], *, on_conflict: str, position: int) -> Counter[str]:
    """Take over what ``rivals`` say, or not; return how many were "listed", and how many in "conflicts"."""
    counts: Counter[str] = Counter()
    becomes = dict(labelling.labels)
    given = _annotations([rival.item for rival in rivals], becomes=becomes)
    there = _annotations({rival.listed for rival in rivals if rival.listed is not None}, becomes=None)
    contested = set(
        AnnotatedImage.objects.filter(
            pk__in=there.keys() | {r.listed for r in rivals if r.listed}, problems=CONTESTED
        ).values_list("pk", flat=True)
    )
    latest = dict(
        AnnotatedImage.objects.filter(
            annotation_data=labelling.target_id, image__in={r.earlier for r in rivals if r.copy is None}
        ).values_list("image", "pk")
    )
    single = labelling.annotation_type == AnnotationType.SINGLE_LABEL
    classes = single or labelling.annotation_type == AnnotationType.MULTI_LABEL
    for rival in rivals:
        rows = given.get(rival.item, [])
        listed = rival.listed if rival.copy is not None else latest.get(rival.earlier)
        if single and not rows:
            continue
        if listed is None:
            item = _list(labelling, rival.copy or rival.earlier, position=position + counts["listed"])
            there[item] = _put(item, rows)
            latest[rival.earlier] = item
            counts["listed"] += 1
            continue
        theirs = there.get(listed, [])
        contradicts = listed in contested or disagree(
            labelling.annotation_type, _said(theirs), _said(rows), size=rival.size
        )
        counts["conflicts"] += contradicts
        if contradicts and on_conflict == OnConflict.LEAVE_UNLABELLED:
            AnnotatedImage.objects.filter(pk=listed).update(problems=CONTESTED)
            contested.add(listed)
        elif rival.copy is not None and (not contradicts or on_conflict == OnConflict.KEEP_ALL):
            _put(_list(labelling, rival.copy, position=position + counts["listed"]), rows)
            counts["listed"] += 1
        elif rival.copy is None and (on_conflict == OnConflict.KEEP_ALL if contradicts else classes):
            # What only the later source says of an image is lost only where it contradicts. Boxes and masks that agree
            # are there already.
            there[listed] = theirs + _add(labelling, listed, theirs, rows)
    return counts


def drop_contested(annotation_data_id: int, *, limit: int = 1_000) -> int:
    """Take images off the list that are to be left unlabelled, with all others of the same bytes; return how many.

    At most ``limit`` and as many others; 0 when none are left.
    """
    listed = AnnotatedImage.objects.filter(annotation_data=annotation_data_id)
    rows = listed.filter(problems=CONTESTED).order_by("position").values_list("pk", "image__blob", "image__dataset")
    contested = list(rows[:limit])
    same = listed.exclude(problems=CONTESTED).filter(
        image__blob__in={blob for _pk, blob, _dataset in contested},
        image__dataset__in={dataset for _pk, _blob, dataset in contested},
    )
    pks = list(same.order_by().values_list("pk", flat=True)[:limit])
    if len(pks) < limit:
        pks += [pk for pk, _blob, _dataset in contested]
    Annotation.objects.filter(item__in=pks).delete()
    AnnotatedImage.objects.filter(pk__in=pks).delete()
    return len(pks)


def _annotations(items: Iterable[int], *, becomes: dict[int, int] | None) -> dict[int, list[dict[str, Any]]]:
    """Return the annotations of ``items`` as rows of columns, under the labels they become; of classes each once."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = Annotation.objects.filter(item__in=list(items)).order_by("pk")
    for row in rows.values("item", "label", *COPIED):
        label = row["label"] if becomes is None else becomes.get(row["label"])
        if label is None:
            continue
        row["label"] = label
        same = next((r for r in found[row["item"]] if row["value"] is not None and _key(r) == _key(row)), None)
        if same is None:
            found[row["item"]].append(row)
        else:
            same["value"] = max(same["value"], row["value"])
    return found


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["value"] is not None:
        return (row["label"], row["frame"])
    return (row["label"], row["frame"], row["x"], row["y"], row["width"], row["height"], row["counts"])


def _said(rows: Iterable[dict[str, Any]]) -> list[Said]:
    return [
        Said(
            label=row["label"],
            frame=row["frame"],
            value=row["value"],
            box=None if row["width"] is None else (row["x"], row["y"], row["width"], row["height"]),
            counts=row["counts"],
        )
        for row in rows
    ]


def _list(labelling: Labelling, image_id: int, *, position: int) -> int:
    return AnnotatedImage.objects.create(
        annotation_data_id=labelling.target_id, image_id=image_id, position=position
    ).pk


def _put(item: int, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    insert_rows(
        Annotation,
        FIELDS,
        [(item, row["label"], *(_plain(row[column]) for column in COPIED)) for row in rows],
    )
    return list(rows)


def _add(
    labelling: Labelling, item: int, theirs: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add what is not there already; of multi-label classification an image has what either says that it has."""
    there = {_key(row): row for row in theirs}
    if labelling.annotation_type == AnnotationType.MULTI_LABEL:
        raised = [row for row in rows if _key(row) in there and row["value"] > there[_key(row)]["value"]]
        for row in raised:
            Annotation.objects.filter(item=item, label=row["label"], frame=row["frame"]).update(value=F("value") + 1)
            there[_key(row)]["value"] = 1
    return _put(item, [row for row in rows if _key(row) not in there])


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, (dict, list)) else value
