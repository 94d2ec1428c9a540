"""An ingest whose workers are killed again and again ends as one that nobody disturbed, byte for byte."""

from __future__ import annotations

import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.blobs.reconcile import reconcile
from datasets.blobs.store import get_store
from datasets.blobs.sweep import sweep
from datasets.deletion import run as run_deletion
from datasets.models import Blob, Dataset, DatasetStatus, Ingest, IngestBatch, WriteIntent
from datasets.services.deletions import delete_dataset
from tests.builders import png, zip_of
from tests.mortals import Mortals

from .conftest import SAMPLES, upload

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True), pytest.mark.postgres]

MEMBERS = [
    *((f"image/{number}.png", png(number, width=20 + number, height=16)) for number in range(120)),
    *((f"again/{number}.png", png(number, width=20 + number, height=16)) for number in range(0, 120, 7)),
    *((f"broken/{number}.png", png(number)[:50]) for number in range(8)),
    ("notes.txt", b"nothing"),
]


def work(mortals: Mortals, ingest: Ingest, *, moment: int = 0) -> int:
    """Work on the ingest in a process of its own, killed at ``moment``; return its exit status."""
    return mortals.run("tests.ingest.killed", ingest.pk, moment)


def run_out_of_leases() -> None:
    past = timezone.now() - timedelta(hours=1)
    Ingest.objects.filter(lease_until__gt=past).update(lease_until=past, sent_at=None)
    Ingest.objects.update(sent_at=None)
    IngestBatch.objects.filter(lease_until__gt=past).update(lease_until=past)
    WriteIntent.objects.update(expires_at=past)


def end_state(dataset: Dataset) -> dict[str, object]:
    """All that people can see of a dataset and all its bytes, without keys and moments."""
    dataset.refresh_from_db()
    ingest, store = dataset.ingest, get_store()
    order = {pk: place for place, pk in enumerate(dataset.studies.order_by("position").values_list("pk", flat=True))}
    paths = dict(dataset.images.values_list("pk", "path"))
    images = []
    for image in dataset.images.select_related("blob", "study").order_by("path"):
        original, thumbnail = store.read(image.blob.original_key), store.read(image.blob.thumbnail_key)
        images.append((image.path, image.study.name, image.position, image.duplicate, image.width, original, thumbnail))
    return {
        "dataset": (
            dataset.status,
            dataset.status_detail,
            dataset.study_count,
            dataset.image_count,
            dataset.size_bytes,
        ),
        "covers": [paths[pk] for pk in dataset.covers],
        "ingest": (ingest.stage, ingest.state, ingest.accepted, ingest.rejected, ingest.skipped, ingest.done_members),
        "studies": [
            (order[study.pk], study.name, paths[study.cover_id]) for study in dataset.studies.order_by("position")
        ],
        "images": images,
        "problems": sorted(dataset.problems.values_list("path", "outcome", "code", "message")),
    }


def test_killed_at_any_moment_and_run_again_it_ends_as_if_undisturbed(user, mortals):
    data = zip_of(MEMBERS)
    calm = upload(user, data)
    assert work(mortals, calm.ingest) == 0
    expected = end_state(calm)
    assert calm.status == DatasetStatus.PREPARATION_FAILED
    digests = set(Blob.objects.values_list("digest", flat=True))
    run_deletion(delete_dataset(dataset=calm, by=user, confirmation="DELETE").pk)
    assert not Blob.objects.exists()  # the second run has to write everything itself

    wild = upload(user, data, "wild.zip")
    choice = random.Random(7)
    for _kill in range(10):
        assert work(mortals, wild.ingest, moment=choice.randint(1, 120)) == -signal.SIGKILL
        run_out_of_leases()
    assert work(mortals, wild.ingest) == 0

    assert end_state(wild) == expected
    assert set(Blob.objects.values_list("digest", flat=True)) == digests
    sweep()
    assert list(reconcile()) == []
    assert not WriteIntent.objects.exists()
    assert sum(1 for _ in get_store().keys("blobs/")) == 2 * len(digests)


def test_two_workers_killed_in_turns_share_an_ingest_of_dicom_studies(user, mortals):
    data = (SAMPLES / "Ultrasound, X-ray and more.zip").read_bytes()
    calm = upload(user, data)
    assert work(mortals, calm.ingest) == 0
    expected = end_state(calm)
    wild = upload(user, data, "wild.zip")
    for moment in (3, 14, 25):
        assert work(mortals, wild.ingest, moment=moment) == -signal.SIGKILL
        run_out_of_leases()
    assert work(mortals, wild.ingest) == 0
    assert end_state(wild) == expected
