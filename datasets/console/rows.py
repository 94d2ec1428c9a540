"""A dataset as a row of the list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from datasets.models import Dataset, Image
from datasets.services.progress import Progress, progress_of

COVERS = 3


@dataclass(frozen=True)
class Row:
    """``covers`` are ids of images that have a thumbnail; None where there is none to show."""

    dataset: Dataset
    progress: Progress
    covers: list[int | None]


def rows_of(datasets: Iterable[Dataset]) -> list[Row]:
    """Return the rows of datasets that were selected with their progress; one query for all covers."""
    datasets = list(datasets)
    wanted = [cover for dataset in datasets if not dataset.is_under_way for cover in dataset.covers[:COVERS]]
    with_thumbnail = set(Image.objects.filter(pk__in=wanted, blob__has_thumbnail=True).values_list("pk", flat=True))
    return [
        Row(
            dataset=dataset,
            progress=progress_of(dataset),
            covers=[cover if cover in with_thumbnail else None for cover in dataset.covers[:COVERS]],
        )
        for dataset in datasets
    ]


def under_way(rows: Iterable[Row]) -> list[int]:
    """Return the ids of the datasets that the page asks for again."""
    return [row.dataset.pk for row in rows if row.dataset.is_under_way]
