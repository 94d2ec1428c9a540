"""The stored counts of a dataset, counted afresh: a page at a time, so that a million images keep nobody waiting."""

from __future__ import annotations

from array import array

import numpy as np
from django.db.models import Max, Sum

from datasets.models import Blob, Study
from datasets.models.image import ImageFormat

from .walk import Beat, image_pages

COVERS = 3
STUDIES_PER_COUNT = 50_000
BLOBS_PER_SUM = 5_000


def counts_of(dataset_id: int, *, beat: Beat | None = None) -> dict[str, object]:
    """Return the stored counts of a dataset, counted from its rows. Holds eight bytes an image in memory."""
    blobs, formats = array("q"), set[str]()
    for page in image_pages(dataset_id, "blob", "format", beat=beat):
        blobs.extend(row[1] for row in page)
        formats.update(row[2] for row in page)
    studies = Study.objects.filter(dataset=dataset_id)
    covers = studies.order_by("position").exclude(cover=None).values_list("cover", flat=True)[:COVERS]
    raster = formats - {ImageFormat.DICOM}
    return {
        "study_count": _count_studies(dataset_id, beat=beat),
        "image_count": len(blobs),
        "size_bytes": _size_of(blobs, beat=beat),
        "image_format": ", ".join([*["DICOM"] * (ImageFormat.DICOM in formats), *["JPG/PNG"] * bool(raster)]),
        "covers": list(covers),
    }


def _count_studies(dataset_id: int, *, beat: Beat | None) -> int:
    studies = Study.objects.filter(dataset=dataset_id).order_by()
    highest = studies.aggregate(to=Max("position"))["to"]
    total = 0
    for first in range(0, -1 if highest is None else highest + 1, STUDIES_PER_COUNT):
        if beat is not None:
            beat()
        total += studies.filter(position__range=(first, first + STUDIES_PER_COUNT - 1)).count()
    return total


def _size_of(blobs: array[int], *, beat: Beat | None) -> int:
    """Sum up the sizes of blobs, each once however often it is named. Sorts ``blobs`` where they are."""
    if not blobs:
        return 0
    numbers = np.frombuffer(blobs, np.int64)
    numbers.sort()
    total = 0
    for first in range(0, len(numbers), BLOBS_PER_SUM):
        if beat is not None:
            beat()
        some = np.unique(numbers[first : first + BLOBS_PER_SUM])
        if first and some[0] == numbers[first - 1]:
            some = some[1:]  # the last page has it
        total += Blob.objects.filter(pk__in=some.tolist()).aggregate(size=Sum("size"))["size"] or 0
    return total
