"""Studies of a source, with their series and images, copied inside the database; their bytes stay where they are.

A DICOM study that two sources have becomes one: its StudyInstanceUID says that it is one (PS3.3 C.7.2.1). Paths, and
the keys of other studies, are kept where they are free, and otherwise begin with the name of their source.
"""

# ruff: noqa: S608 - names come from our own models, everything else is a parameter

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef

from datasets.models import Blob, Image, Series, Study
from deepcap.common.sql import reserve_keys

from .relations import among, relation

IMAGES, STUDIES, SERIES = Image._meta.db_table, Study._meta.db_table, Series._meta.db_table
OWN = ("dataset_id", "study_id", "series_id", "path", "position", "duplicate", *("source_number", "source_image"))
COPIED = [
    field.column
    for field in Image._meta.local_concrete_fields
    if not field.primary_key and field.column not in (*OWN, "source_path")
]
PATH_LENGTH = 1024


@dataclass(frozen=True)
class Target:
    """The dataset that is made; the source that is copied now: its place among the sources, and its name."""

    dataset_id: int
    number: int
    name: str
    keeps_once: bool

    @property
    def folder(self) -> str:
        """What paths begin with that another source uses: a plain folder name."""
        return self.name.replace("/", "_").replace("\\", "_").strip(". ") or "dataset"


class Chosen(NamedTuple):
    """An image of the source that comes along: its id, its study's, and its path."""

    pk: int
    study: int
    path: str


@dataclass(frozen=True)
class Copied:
    studies: int
    images: int
    duplicates: int


def copy_studies(target: Target, studies: Sequence[int], *, position: int) -> Copied:
    """Copy ``studies`` of a source, which follow those there are from ``position`` on; return how many came in.

    Images are left out only where the target keeps duplicates once and an earlier source has the same bytes; a study
    without images is left out too. The blobs are held until the transaction ends.
    """
    _hold_blobs(studies)
    of_studies = Image.objects.filter(study__in=studies)
    wanted = of_studies
    if target.keeps_once:
        earlier = Image.objects.filter(dataset=target.dataset_id, source_number__lt=target.number)
        wanted = wanted.filter(~Exists(earlier.filter(blob=OuterRef("blob"))))
    found = wanted.order_by("study__position", "position")
    rows = [Chosen(*row) for row in found.values_list("pk", "study", "path")]
    if not rows:
        return Copied(0, 0, of_studies.count())
    copies = dict(zip((row.pk for row in rows), reserve_keys(Image, len(rows)), strict=True))
    merged, made = _copy_studies(target, Counter(row.study for row in rows), copies, position=position)
    given = {**merged, **made}
    _copy_series(given)
    _copy_images(target, rows, copies, given)
    duplicates = of_studies.count() - len(rows) if target.keeps_once else 0
    return Copied(len(made), len(rows), duplicates)


def _hold_blobs(studies: Sequence[int]) -> None:
    """Lock the blobs against the sweep, in the order of their keys; SQLite has one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return
    condition, parameters = among("study_id", studies)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM (SELECT id FROM {Blob._meta.db_table} WHERE id IN"
            f" (SELECT blob_id FROM {IMAGES} WHERE {condition}) ORDER BY id FOR KEY SHARE) held",
            parameters,
        )


def _copy_studies(
    target: Target, image_counts: Counter[int], copies: Mapping[int, int], *, position: int
) -> tuple[dict[int, int], dict[int, int]]:
    """Return {old id: id in the target} of the studies that were there already, and of those that were made.

    Those that were made have the covers they had, where these are among ``copies`` (of images, by old id). Those that
    were there lose theirs: with more images in them they have to be arranged again.
    """
    found = Study.objects.filter(pk__in=image_counts).values_list("pk", "key", "study_instance_uid", "cover")
    described = {pk: rest for pk, *rest in found.order_by()}
    uids = {uid: pk for pk, (_key, uid, _cover) in described.items() if uid}
    there = Study.objects.filter(dataset=target.dataset_id, study_instance_uid__in=uids, key__in=uids)
    merged = {uids[uid]: pk for pk, uid in there.order_by().values_list("pk", "study_instance_uid")}
    Study.objects.filter(pk__in=merged.values()).update(cover=None)
    new = [pk for pk in image_counts if pk not in merged]  # in display order
    made = dict(zip(new, reserve_keys(Study, len(new)), strict=True))
    keys = {pk: described[pk][1] or described[pk][0] for pk in new}
    renamed = free_paths(target, keys, taken=_keys_taken(target))
    rows = [
        (pk, made[pk], renamed.get(pk, keys[pk]), position + place, image_counts[pk], copies.get(described[pk][2]))
        for place, pk in enumerate(new)
    ]
    types = {"old": "bigint", "new": "bigint", "key": "text", "place": "int", "images": "int", "cover": "bigint"}
    given, parameters = relation("g", types, rows)
    columns = ("modality", "description", "study_date", "patient_key", "study_instance_uid")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {STUDIES}"
            f" (id, dataset_id, key, name, position, image_count, cover_id, source_study, {', '.join(columns)})"
            " SELECT g.new, %s, g.key, CASE WHEN s.name = s.key THEN g.key ELSE s.name END, g.place, g.images, g.cover,"
            f" s.id, {', '.join(f's.{column}' for column in columns)}"
            f" FROM {given} JOIN {STUDIES} s ON s.id = g.old ORDER BY g.place",
            [target.dataset_id, *parameters],
        )
    return merged, made


def _copy_series(given: dict[int, int]) -> None:
    studies, parameters = relation("g", {"old": "bigint", "new": "bigint"}, list(given.items()))
    columns = ("series_instance_uid", "series_number", "modality", "description")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {SERIES} (study_id, {', '.join(columns)})"
            f" SELECT g.new, {', '.join(f's.{column}' for column in columns)}"
            f" FROM {studies} JOIN {SERIES} s ON s.study_id = g.old WHERE NOT EXISTS (SELECT 1 FROM {SERIES} t"
            " WHERE t.study_id = g.new AND t.series_instance_uid = s.series_instance_uid) ORDER BY s.id",
            parameters,
        )


def _copy_images(target: Target, rows: Sequence[Chosen], copies: Mapping[int, int], given: Mapping[int, int]) -> None:
    """Insert the copies under the keys reserved for them; one relation says of each all that is its own."""
    renamed = free_paths(target, {row.pk: row.path for row in rows}, taken=_paths_taken(target))
    types = {"old": "bigint", "new": "bigint", "study": "bigint", "path": "text"}
    of_copies, parameters = relation(
        "g", types, [(row.pk, copies[row.pk], given[row.study], renamed.get(row.pk)) for row in rows]
    )
    place = "ROW_NUMBER() OVER (PARTITION BY g.study ORDER BY s.position, s.id) - 1"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {IMAGES} (id, {', '.join(OWN)}, source_path, {', '.join(COPIED)})"
            f" SELECT g.new, %s, g.study, n.id, COALESCE(g.path, s.path), {place}, '', %s, s.id,"
            f" CASE WHEN g.path IS NULL THEN '' ELSE s.path END, {', '.join(f's.{column}' for column in COPIED)}"
            f" FROM {of_copies} JOIN {IMAGES} s ON s.id = g.old LEFT JOIN {SERIES} o ON o.id = s.series_id"
            f" LEFT JOIN {SERIES} n ON n.study_id = g.study AND n.series_instance_uid = o.series_instance_uid",
            [target.dataset_id, target.number, *parameters],
        )


def free_paths(
    target: Target, paths: dict[int, str], *, taken: Callable[[Iterable[str]], Collection[str]]
) -> dict[int, str]:
    """Return another path for each of ``paths`` (by key) that is taken: below the source's name, or "name (2)" …"""
    used = set(taken(paths.values()))
    clashing = {pk: path for pk, path in paths.items() if path in used}
    kept = {path for path in paths.values() if path not in used}
    renamed: dict[int, str] = {}
    number = 1
    while clashing:
        folder = target.folder if number == 1 else f"{target.folder} ({number})"
        proposed = {pk: f"{folder}/{path[-(PATH_LENGTH - len(folder) - 1) :]}" for pk, path in clashing.items()}
        used = set(taken(proposed.values())) | kept
        for pk, path in proposed.items():
            if path not in used:
                renamed[pk] = path
                used.add(path)
                kept.add(path)
                del clashing[pk]
        number += 1
    return renamed


def _paths_taken(target: Target) -> Callable[[Iterable[str]], Collection[str]]:
    images = Image.objects.filter(dataset=target.dataset_id)
    return lambda paths: set(images.filter(path__in=paths).order_by().values_list("path", flat=True))


def _keys_taken(target: Target) -> Callable[[Iterable[str]], Collection[str]]:
    studies = Study.objects.filter(dataset=target.dataset_id)
    return lambda keys: set(studies.filter(key__in=keys).order_by().values_list("key", flat=True))
