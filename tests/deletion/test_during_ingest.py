"""A dataset that is deleted while a worker reads into it: the worker finds out, and leaves nothing behind."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import sweep
from datasets.blobs.writer import BlobWriter
from datasets.deletion import run
from datasets.ingest import pipeline, read
from datasets.models import Dataset, DatasetStatus, Deletion, Image, Ingest, IngestStage, WriteIntent
from datasets.services import deletions
from datasets.services.deletions import delete_dataset, restore_dataset
from datasets.services.uploads import upload_file
from deepcap.accounts.models import AuditEvent
from tests.builders import png, zip_of

from .test_work import assert_nothing_is_left

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

MEMBERS = [*((f"{number}.png", png(number)) for number in range(5)), ("broken.png", png(1)[:40])]


@pytest.fixture
def dataset(user) -> Dataset:
    data = zip_of(MEMBERS)
    return upload_file(owner=user, stream=io.BytesIO(data), filename="set.zip", size=len(data))


def deleted_within(module, name: str, monkeypatch, dataset: Dataset) -> list[Deletion]:
    """Have the owner delete the dataset just before a worker calls ``module.name``."""
    original, asked = getattr(module, name), []

    def interrupted(*args, **kwargs):
        if not asked:
            asked.append(delete_dataset(dataset=dataset, by=dataset.owner, confirmation="DELETE"))
        return original(*args, **kwargs)

    monkeypatch.setattr(module, name, interrupted)
    return asked


def take_all_turns(dataset: Dataset) -> None:
    ingest = Ingest.objects.get(dataset=dataset)
    for _turn in range(10):
        if announcement := pipeline.waiting(ingest.pk):
            (pipeline.advance if announcement.advance else pipeline.read_next)(ingest.pk)


@pytest.mark.parametrize(
    ("module", "function", "images"),
    [
        (read, "examine_all", 0),
        (BlobWriter, "write", 0),
        (read, "_keep", 0),
        (pipeline, "arrange", 5),
        (pipeline, "publish", 5),
    ],
)
def test_what_a_worker_has_in_hand_is_not_kept(dataset, store, monkeypatch, module, function, images):
    asked = deleted_within(module, function, monkeypatch, dataset)

    take_all_turns(dataset)

    assert Image.objects.count() == images
    assert Dataset.objects.get().status == DatasetStatus.DELETING
    [deletion] = asked
    run(deletion.pk)
    WriteIntent.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    sweep()
    assert_nothing_is_left(store)
    assert not WriteIntent.objects.exists()
    assert list(reconcile()) == []


def test_restored_after_reading_was_stopped_the_rest_of_the_ingest_takes_its_course(
    dataset, user, settings, monkeypatch
):
    settings.DEEPCAP_TRASH_DAYS = 3
    deleted_within(read, "_keep", monkeypatch, dataset)
    take_all_turns(dataset)

    restore_dataset(deletion=Deletion.objects.get(), by=user)
    take_all_turns(dataset)

    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert dataset.status_detail.startswith("Cancelled after 0 of 6 files")
    assert dataset.ingest.stage == IngestStage.DONE


def test_restored_after_all_was_read_nothing_is_lost(dataset, user, settings, monkeypatch):
    settings.DEEPCAP_TRASH_DAYS = 3
    deleted_within(pipeline, "arrange", monkeypatch, dataset)
    take_all_turns(dataset)

    restore_dataset(deletion=Deletion.objects.get(), by=user)
    take_all_turns(dataset)

    dataset.refresh_from_db()
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 5)
    assert dataset.status_detail == "1 file could not be used."


def within(seconds: float, happens: Callable[[], bool]) -> None:
    """Wait until something happens that must happen soon."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)


def others_that_wait() -> int:
    """Count the locks that are waited for in this database, not in those of tests that run beside."""
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    with connection.cursor() as cursor:
        cursor.execute(f"{waiting} WHERE NOT granted AND datname = current_database()")
        return cursor.fetchone()[0]


class Opposite(threading.Thread):
    """Another connection that locks the dataset before its ingest, ``times`` times, as soon as it is waited for.

    It is patient: it is the others' transactions that PostgreSQL ends.
    """

    def __init__(self, dataset: Dataset, *, times: int) -> None:
        super().__init__()
        self.dataset_id, self.times, self.fault = dataset.pk, times, None
        self.holds = threading.Event()

    def run(self) -> None:
        try:
            for _time in range(self.times):
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL deadlock_timeout = '10min'")
                    Dataset.objects.select_for_update().get(pk=self.dataset_id)
                    self.holds.set()
                    within(60, others_that_wait)
                    Ingest.objects.select_for_update().get(dataset=self.dataset_id)
        except BaseException as fault:
            self.fault = fault
            self.holds.set()
            raise
        finally:
            connection.close()


@pytest.fixture
def two_connections() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks the whole database: its transactions cannot lock each other out")


def deleted_against(other: Opposite, dataset: Dataset) -> Deletion:
    other.start()
    try:
        assert other.holds.wait(60)
        return delete_dataset(dataset=dataset, by=dataset.owner, confirmation="DELETE")
    finally:
        other.join(120)
        assert other.fault is None


def test_a_deadlock_with_who_reads_is_no_matter_of_who_deletes(dataset, monkeypatch, two_connections):
    attempts = []
    monkeypatch.setattr(deletions, "hide", lambda dataset, hide=deletions.hide: attempts.append(1) or hide(dataset))

    deletion = deleted_against(Opposite(dataset, times=1), dataset)

    assert len(attempts) == 2
    assert Deletion.objects.get() == deletion
    assert AuditEvent.objects.filter(action="dataset.deletion_requested").count() == 1
    assert Dataset.objects.get().status == DatasetStatus.DELETING


def test_inside_of_another_transaction_a_deadlock_is_told(dataset, two_connections):
    with pytest.raises(OperationalError, match="deadlock"), transaction.atomic():
        deleted_against(Opposite(dataset, times=1), dataset)

    assert not Deletion.objects.exists()
