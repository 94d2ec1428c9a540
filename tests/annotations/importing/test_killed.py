"""Labels whose workers are killed again and again end as those that nobody disturbed, row for row."""

from __future__ import annotations

import io
import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, AnnotationData, LabelImport, LabelProblem
from annotations.services.imports import import_labels
from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import sweep
from datasets.models import Dataset, DatasetStatus, Ingest, IngestBatch, IngestStage, WriteIntent
from tests.builders import png, zip_of
from tests.ingest.conftest import upload, work_on
from tests.mortals import Mortals

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True), pytest.mark.postgres]

IMAGES = [(f"image/{number}.png", png(number, width=40, height=30)) for number in range(12)]
BOXES = b"".join(
    b"image/%d.png,%c,%d,2,%d,5\n" % (n % 13, 97 + n % 4, n % 9, 1 + n % 7) for n in range(150)
)  # image 12 is none of the dataset
SINGLE = b"".join(b"image/%d.png,%c\n" % (n, 97 + n % 3) for n in range(12))


def run(mortals: Mortals, dataset: Dataset, *, moment: int = 0) -> int:
    """Work in a process of its own, killed at ``moment``; return its exit status."""
    return mortals.run("tests.annotations.importing.killed", dataset.pk, moment)


def run_out_of_leases() -> None:
    past = timezone.now() - timedelta(hours=1)
    for model in (Ingest, IngestBatch, LabelImport):
        model.objects.filter(lease_until__gt=past).update(lease_until=past)
        model.objects.update(sent_at=None)
        model.objects.exclude(state="done").update(attempts=1)  # it is about resuming, not about giving up
    WriteIntent.objects.update(expires_at=past)


def end_state(dataset: Dataset) -> dict[str, object]:
    """All that people can see of a dataset's labels, without keys and moments."""
    dataset.refresh_from_db()
    state: dict[str, object] = {
        "dataset": (dataset.status, dataset.image_count, dataset.annotation_data_count),
        "left out": sorted(dataset.problems.values_list("path", "code")),
    }
    for data in AnnotationData.objects.filter(dataset=dataset):
        rows = Annotation.objects.filter(item__annotation_data=data).order_by("pk")
        made = data.label_import
        state[data.name.removeprefix(dataset.name)] = {
            "data": (data.annotation_type, data.status, data.status_detail, data.study_count, data.annotation_count),
            "labels": list(data.labels.values_list("name", "color", "position", "image_count", "annotation_count")),
            "listed": list(data.listed.order_by("position").values_list("image__path", "position", "annotation_count")),
            "rows": list(rows.values_list("item__image__path", "label__name", "x", "y", "width", "height", "value")),
            "import": (made.state, made.stage, made.row_count, made.problem_count, made.problems_by_code),
            "problems": list(made.problems.values_list("row", "column", "code", "message")),
            "statistics": data.statistics.numbers,
        }
    return state


def test_labels_of_an_upload_killed_at_any_moment_end_as_if_undisturbed(user, mortals):
    data = zip_of([*IMAGES, ("boxes.csv", BOXES), ("label.csv", SINGLE), ("README.txt", b"Hello.")])
    calm = upload(user, data, "calm.zip")
    assert run(mortals, calm) == 0
    expected = end_state(calm)
    assert expected["dataset"] == (DatasetStatus.AVAILABLE, 12, 2)
    assert expected["_boxes"]["data"][1] == "import_failed" and expected["_label"]["data"][1] == "available"

    wild = upload(user, data, "wild.zip")
    work_on(wild, turns=2)
    assert Ingest.objects.get(dataset=wild).stage == IngestStage.ARRANGING
    choice = random.Random(11)
    kills = 0
    for _try in range(12):
        kills += run(mortals, wild, moment=choice.randint(20, 110)) == -signal.SIGKILL
        run_out_of_leases()
    assert kills >= 8
    assert run(mortals, wild) == 0
    assert end_state(wild) == expected
    sweep()
    assert list(reconcile()) == []
    assert not WriteIntent.objects.exists()


def test_an_import_killed_at_any_moment_ends_as_if_undisturbed(user, mortals):
    datasets = [upload(user, zip_of(IMAGES), f"{name}.zip") for name in ("calm", "wild")]
    for dataset in datasets:
        work_on(dataset)
        import_labels(dataset=dataset, by=user, file=io.BytesIO(BOXES), filename="boxes.csv")
    LabelImport.objects.update(sent_at=None)
    calm, wild = datasets
    LabelImport.objects.filter(dataset=wild).update(state="cancelled")
    assert run(mortals, calm) == 0
    LabelImport.objects.filter(dataset=wild).update(state="pending")
    expected = end_state(calm)
    choice = random.Random(5)
    kills = 0
    for _try in range(8):
        kills += run(mortals, wild, moment=choice.randint(5, 60)) == -signal.SIGKILL
        run_out_of_leases()
    assert kills >= 6
    assert run(mortals, wild) == 0
    assert end_state(wild) == expected
    assert LabelProblem.objects.count() == 2 * LabelProblem.objects.filter(label_import__dataset=calm).count()
