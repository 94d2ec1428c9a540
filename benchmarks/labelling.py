"""Annotation data by the million: read from a label file, exported, counted, looked at. Runs in ``child``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from django.core.management import call_command
from django.db import connection, reset_queries
from django.db.models import Count
from django.urls import reverse

from annotations import statistics
from annotations.exporting import export
from annotations.importing import work
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Kind, Label
from annotations.services.imports import import_labels
from datasets.models import Dataset, Image

from .processes import peak_bytes
from .rows import make_large_dataset, multiply, path_of, person, prepare
from .tables import nearest
from .visits import WARM_UPS, sign_in, visit

LABELS = ("aorta", "heart", "kidney", "liver", "lung", "pancreas", "rib", "spine", "spleen", "stomach")
FORMATS = ("csv", "coco")
SAMPLES = 20


def build(images: int) -> None:
    """Make one person's dataset of ``images`` images in as many studies."""
    prepare()
    make_large_dataset(person("many"), images=images)


def build_again(images: int) -> None:
    """Make the dataset anew in a database that has one."""
    call_command("flush", verbosity=0, interactive=False)
    build(images)


def write_boxes(path: str, images: int, rows: int) -> int:
    """Write ``label.csv`` with ``rows`` boxes, spread over the images; return its size in bytes."""
    with Path(path).open("w") as file:
        file.writelines(
            f"{path_of(number * images // rows)},{LABELS[number * 7 % 10]},"
            f"{number % 300},{number * 13 % 300},{8 + number % 190}.5,{8 + number * 3 % 190}\n"
            for number in range(rows)
        )
    return Path(path).stat().st_size


def read_boxes(path: str) -> dict[str, Any]:
    """Import the file as a worker does: upload, rows, counts, report. CPU and peak memory are this process's."""
    dataset = Dataset.objects.get(name="large")
    start, cpu = time.perf_counter(), time.process_time()
    with Path(path).open("rb") as file:
        data = import_labels(dataset=dataset, by=dataset.owner, file=file, filename="label.csv")
    work.run(data.label_import.pk)
    taken, cpu = time.perf_counter() - start, time.process_time() - cpu
    data.refresh_from_db()
    if data.status != "available":
        raise RuntimeError(f"The import ended as {data.status}: {data.status_detail}")
    return {"rows": data.annotation_count, "seconds": taken, "cpu": cpu, "peak": peak_bytes(os.getpid())}


def write_out(file_format: str) -> dict[str, Any]:
    """Export the newest annotation data; ``resident`` is the memory in use each twentieth of the way."""
    data = AnnotationData.objects.order_by("-pk")[0]
    reset_queries()
    size, resident = 0, []
    start, cpu = time.perf_counter(), time.process_time()
    first = 0.0
    for chunk in export(data, file_format=file_format).chunks:
        first = first or time.perf_counter() - start
        size += len(chunk)
        resident.append(_resident())
    return {
        "rows": data.annotation_count,
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "first": first,
        "bytes": size,
        "resident": list(_thinned(resident)),
        "peak": peak_bytes(os.getpid()),
    }


def multiply_boxes(annotations: int) -> None:
    """Make annotation data of all images of the dataset with ``annotations`` boxes, one row made by the ORM."""
    dataset = Dataset.objects.get(name="large")
    first = Image.objects.filter(dataset=dataset).order_by("pk")[0]
    data = AnnotationData.objects.create(
        dataset=dataset, name="many boxes", annotation_type=AnnotationType.DETECTION, status="available"
    )
    labels = [Label.objects.create(annotation_data=data, name=name, color="#000000") for name in LABELS]
    item = AnnotatedImage.objects.create(annotation_data=data, image=first)
    multiply(item, dataset.image_count - 1, {"image_id": f"{first.pk} + n", "position": "n"})
    row = {"label": labels[0], "kind": Kind.BOX, "x": 1, "y": 1, "width": 20, "height": 30, "area": 600}
    annotation = Annotation.objects.create(item=item, **row)
    changes = {
        "item_id": f"{item.pk} + n / {max(1, annotations // dataset.image_count)}",
        "label_id": f"{labels[0].pk} + n * 7 % {len(LABELS)}",
        "width": "8.5 + n % 190",
        "height": "8 + n * 3 % 190",
    }
    multiply(annotation, annotations - 1, changes)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def count() -> dict[str, Any]:
    """Count the newest annotation data and make their report, as a worker does after an import."""
    data = AnnotationData.objects.order_by("-pk")[0]
    pauses = _Pauses()
    start, cpu = time.perf_counter(), time.process_time()
    statistics.arrange_labels(data.pk)
    statistics.count(data.pk, beat=pauses)
    counted = time.perf_counter() - start
    statistics.recompute(data.pk, beat=pauses)
    seconds = time.perf_counter() - start
    return {
        "count_seconds": counted,
        "seconds": seconds,
        "cpu": time.process_time() - cpu,
        "longest": max(pauses.lengths),
        "peak": peak_bytes(os.getpid()),
    }


def look(rounds: int) -> list[dict[str, Any]]:
    """Visit what shows the report of the newest annotation data; milliseconds to the first byte."""
    call_command("collectstatic", verbosity=0, interactive=False)
    data = AnnotationData.objects.order_by("-pk")[0]
    client = sign_in(person("many"))
    addresses = {
        "page of the annotation data": data.get_absolute_url(),
        "API: statistics": reverse("api:annotation-data-statistics", args=[data.pk]),
        "API: statistics.csv": reverse("api:annotation-data-statistics-csv", args=[data.pk]),
        "API: images": reverse("api:annotation-data-images", args=[data.pk]),
    }
    results = []
    for title, path in addresses.items():
        taken = [visit(client, path) for _ in range(WARM_UPS + rounds)][WARM_UPS:]
        milliseconds = [each["milliseconds"] for each in taken]
        results.append(
            {
                "title": title,
                "median": median(milliseconds),
                "p95": nearest(milliseconds, 0.95),
                "queries": max(each["queries"] for each in taken),
            }
        )
    return results


def count_naively() -> float:
    """Return the seconds that the label distribution alone takes when it is counted while somebody waits."""
    data = AnnotationData.objects.order_by("-pk")[0]
    annotations = Annotation.objects.filter(item__annotation_data=data).order_by()
    start = time.perf_counter()
    list(annotations.values_list("label__name").annotate(Count("pk"), Count("item", distinct=True)))
    return time.perf_counter() - start


class _Pauses:
    """How long the pieces of work take between which a lease can be extended."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._last = time.perf_counter()

    def __call__(self) -> None:
        now = time.perf_counter()
        self.lengths.append(now - self._last)
        self._last = now


def _thinned(values: list[int]) -> Iterator[int]:
    for place in range(SAMPLES + 1):
        yield values[(len(values) - 1) * place // SAMPLES]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
