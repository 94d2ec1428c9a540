"""Two labelled datasets become one, by the product's work and by ORM loops. Runs in ``child``."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from typing import Any

from django.db import connection

from annotations import statistics
from annotations.combine import work
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Combination, Kind, Label
from annotations.services.combinations import Wanted, combine_datasets, match_labels_of, preview_combination
from annotations.services.comparisons import compare, studies_of
from datasets.blobs.store import get_store
from datasets.models import Dataset, Image, Series, Study

from .loops import by_loop
from .processes import peak_bytes
from .rows import make_dicom_dataset, make_large_dataset, multiply, person, prepare
from .timing import Phases, Transactions

LABELS = ("aorta", "heart", "kidney", "liver", "lung", "pancreas", "rib", "spine", "spleen", "stomach")
SHARED_SHARE = 100  # one image in so many has bytes that the other dataset has too
OBJECTS = 200
PHASES = {
    "images": (work, "_copy_images"),
    "arranging": (work, "arrange_copies"),
    "labels": (work, "_copy_labels"),
    "counting": (statistics, "count"),
    "report": (statistics, "recompute"),
    "finish": (work, "finish"),
}


def build(images: int) -> None:
    """Make "first": a study an image, and "second": DICOM studies of 20 images, one in 100 of them in "first" too.

    Paths of the second are all used in the first. Each image has one box, under labels that differ in case; of half of
    the shared images the two say different things.
    """
    prepare()
    owner = person("many")
    first = make_large_dataset(owner, images=images, name="first")
    second = make_dicom_dataset(owner, images=images, like=first, shared=SHARED_SHARE)
    for dataset, names in ((first, LABELS), (second, [name.title() for name in LABELS])):
        _label(dataset, names)
    for number in range(OBJECTS):
        get_store().put(f"blobs/bench/{number:06d}.orig", b"bytes that stay as they are")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def look() -> dict[str, Any]:
    """Ask for what pages show of the two before anything is made; return seconds of each, and memory."""
    first, second = _sources()
    first.get_absolute_url()
    seconds = {}
    for name, ask in (
        ("labels matched", lambda: match_labels_of(wanted=_wanted(first, second), by=first.owner)),
        ("preview", lambda: preview_combination(wanted=_wanted(first, second), by=first.owner)),
        ("comparison", lambda: compare(first, second)),
        ("page of shared studies", lambda: studies_of(first, second, "images")),
        ("page of studies of one alone", lambda: studies_of(first, second, "only_b")),
    ):
        start = time.perf_counter()
        ask()
        seconds[name] = time.perf_counter() - start
    return {"seconds": seconds, "peak": peak_bytes(os.getpid())}


def combine() -> dict[str, Any]:
    """Combine as a worker does, with labels matched and conflicts resolved; return seconds, memory, transactions."""
    first, second = _sources()
    first.get_absolute_url()  # a worker has loaded its pages long ago
    writes = _Writes()
    transactions = Transactions("request")
    phases = Phases(transactions)
    with transactions, phases.of(PHASES):
        start, cpu = time.perf_counter(), time.process_time()
        dataset = combine_datasets(wanted=_wanted(first, second), by=first.owner, name="both")
        requested = time.perf_counter() - start
        while work.run(dataset.combination.pk):
            pass
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    dataset.refresh_from_db()
    if dataset.status != "available":
        raise RuntimeError(f"The combination ended as {dataset.status}: {dataset.status_detail}")
    names = ("request", *PHASES)
    return {
        "rows": _rows(dataset),
        "seconds": seconds,
        "cpu": cpu,
        "request_seconds": requested,
        "conflicts": Combination.objects.get(dataset=dataset).place.get("conflicts", 0),
        "phases": {name: phases.seconds[name] for name in PHASES},
        "transactions": {name: transactions.summary(name) for name in names},
        "peak": peak_bytes(os.getpid()),
        "objects_written": writes.count(),
    }


def loop(naive: bool) -> dict[str, Any]:
    """Make the same by ORM loops; return rows and seconds."""
    first, second = _sources()
    start = time.perf_counter()
    dataset = by_loop(first, second, owner=first.owner, label_map=_label_map(), naive=naive)
    seconds = time.perf_counter() - start
    return {"rows": _rows(dataset), "seconds": seconds, "peak": peak_bytes(os.getpid())}


def outcome(name: str) -> dict[str, Any]:
    """Return what a dataset has, in numbers that a correct combination determines."""
    dataset = Dataset.objects.get(name=name)
    data = dataset.annotation_data.get()
    return {
        "counts": [dataset.study_count, dataset.image_count, dataset.size_bytes],
        "paths": Counter(path.partition("/")[0] for path in _values(Image, "path", dataset=dataset)),
        "labels": list(data.labels.values_list("name", "image_count", "annotation_count")),
        "listed": [data.image_count, data.study_count, data.annotation_count],
    }


def _values(model: type[Any], field: str, **where: Any) -> Any:
    return model.objects.filter(**where).order_by("pk").values_list(field, flat=True).iterator()


def _sources() -> list[Dataset]:
    return [Dataset.objects.get(name=name) for name in ("first", "second")]


def _wanted(first: Dataset, second: Dataset) -> Wanted:
    sources = [{"dataset": each.pk, "annotation_data": each.annotation_data.get().pk} for each in (first, second)]
    return Wanted(sources, label_map=_label_map())


def _label_map() -> dict[str, str | None]:
    return {name.title(): name for name in LABELS}


def _rows(dataset: Dataset) -> dict[str, int]:
    listed = AnnotatedImage.objects.filter(annotation_data__dataset=dataset)
    return {
        "studies": Study.objects.filter(dataset=dataset).count(),
        "series": Series.objects.filter(study__dataset=dataset).count(),
        "images": Image.objects.filter(dataset=dataset).count(),
        "listed": listed.count(),
        "annotations": Annotation.objects.filter(item__in=listed).count(),
    }


def _label(dataset: Dataset, names: Any) -> AnnotationData:
    """Give every image one box."""
    first = Image.objects.filter(dataset=dataset).order_by("pk")[0]
    images = dataset.image_count
    data = AnnotationData.objects.create(
        dataset=dataset,
        name="boxes",
        annotation_type=AnnotationType.DETECTION,
        status="available",
        study_count=dataset.study_count,
        image_count=images,
        annotation_count=images,
    )
    share = {"image_count": images // len(names), "annotation_count": images // len(names)}
    labels = [Label.objects.create(annotation_data=data, name=name, color="#000000", **share) for name in names]
    item = AnnotatedImage.objects.create(annotation_data=data, image=first, annotation_count=1)
    multiply(item, images - 1, {"image_id": f"{first.pk} + n", "position": "n"})
    row = {"label": labels[0], "kind": Kind.BOX, "x": 1, "y": 1, "width": 20, "height": 30, "area": 600}
    annotation = Annotation.objects.create(item=item, **row)
    changes = {
        "item_id": f"{item.pk} + n",
        "label_id": f"{labels[0].pk} + n % {len(labels)}",
        "width": "8.5 + n % 190",
        "x": f"n * 7 % 300 + CASE WHEN n % 200 = 0 THEN {dataset.pk % 2 * 100} ELSE 0 END",
    }
    multiply(annotation, images - 1, changes)
    Dataset.objects.filter(pk=dataset.pk).update(annotation_data_count=1)
    return data


class _Writes:
    """Everything that this process opens for writing, renames or makes below the vault's folder."""

    def __init__(self) -> None:
        self._root = str(get_store().root)  # type: ignore[attr-defined]
        self._before = self._there()
        self._events = 0
        sys.addaudithook(self._at_event)

    def count(self) -> dict[str, int]:
        """Return how many times something was written, and how many objects and bytes there are more than before."""
        objects, size = (after - before for before, after in zip(self._before, self._there(), strict=True))
        return {"writes": self._events, "objects": objects, "bytes": size}

    def _there(self) -> tuple[int, int]:
        sizes = [size for _key, size in get_store().keys("")]
        return len(sizes), sum(sizes)

    def _at_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(path, str) and path.startswith(self._root) and flags & (os.O_WRONLY | os.O_RDWR):
                self._events += 1
        elif event in ("os.rename", "os.link", "os.mkdir", "os.remove"):
            self._events += str(arguments[0]).startswith(self._root)
