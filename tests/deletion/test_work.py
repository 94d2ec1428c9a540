"""Erasing: all of it, nothing else, counted exactly, whatever gets in the way."""

from __future__ import annotations

import math
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets import hooks
from datasets.blobs.reconcile import reconcile
from datasets.deletion import due_deletions, erase, receipt, run, work
from datasets.models import (
    Blob,
    Dataset,
    Deletion,
    DeletionStage,
    Image,
    StorageRemoval,
    Study,
    UploadState,
    VaultCandidate,
)
from datasets.services.deletions import delete_dataset, request_deletion
from deepcap.accounts.models import AuditEvent
from deepcap.common import cascade
from deepcap.common.leases import WorkState

from .build import add_upload, make_dataset, make_rows, store_blobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

SCANS = [f"scan {number}".encode() for number in range(7)]
OWN_TABLES = cascade.Graph(Dataset).tables


def ask(dataset: Dataset) -> Deletion:
    return delete_dataset(dataset=dataset, by=dataset.owner, confirmation="DELETE")


def end_pause() -> None:
    Deletion.objects.filter(state=WorkState.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))


def assert_nothing_is_left(store, *, tables=OWN_TABLES) -> None:
    assert {table._meta.label: table.objects.count() for table in tables if table.objects.exists()} == {}
    assert not Blob.objects.exists()
    assert not VaultCandidate.objects.exists()
    assert not StorageRemoval.objects.exists()
    assert list(store.keys()) == []


def test_a_deleted_dataset_leaves_no_row_and_no_object_but_the_receipt(user, store):
    dataset = make_dataset(user, contents=SCANS)
    store.put("uploads/ab12", b"a zip")
    add_upload(dataset, size=5, state=UploadState.COMPLETE, key="uploads/ab12")
    counted = cascade.count(dataset)
    deletion = ask(dataset)

    assert run(deletion.pk) is False

    assert_nothing_is_left(store)
    deletion.refresh_from_db()
    assert receipt(deletion) == {
        "id": deletion.pk,
        "status": "done",
        "target_type": "datasets.dataset",
        "target_id": dataset.pk,
        "target_name": "chest",
        "impact": deletion.impact,
        "counts": {
            "studies": 4,
            "images": 7,
            "annotation_data": 0,
            "annotations": 0,
            "annotation_projects": 0,
            "annotation_jobs": 0,
            "training_tasks": 0,
            "inference_jobs": 0,
            "datasets": 1,
            "series": 4,
            "dataset_openings": 1,
            "problems": 1,
            "ingests": 1,
            "ingest_batches": 1,
            "uploads": 1,
            "upload_parts": 1,
        },
        "objects_removed": 2 * len(SCANS) + 1,
        "bytes_removed": sum(map(len, SCANS)) + 5,
        "requested_by": "ada",
        "requested_at": deletion.requested_at,
        "restorable_until": None,
        "finished_at": deletion.finished_at,
    }
    assert sum(deletion.counts.values()) == sum(counted.values())
    event = AuditEvent.objects.get(action="dataset.deleted")
    assert (event.actor, event.target_id, event.target_name) == (user, str(dataset.pk), "chest")
    assert event.details["counts"] == deletion.counts


def test_a_finished_deletion_is_not_run_again(user):
    deletion = ask(make_dataset(user, contents=SCANS))
    run(deletion.pk)
    deletion.refresh_from_db()
    before = receipt(deletion)

    assert run(deletion.pk) is False
    assert due_deletions() == []

    deletion.refresh_from_db()
    assert receipt(deletion) == before


def test_datasets_that_show_the_same_bytes_keep_them(user, other_user, store):
    kept = make_dataset(other_user, contents=SCANS[:3], name="theirs")
    dataset = make_dataset(user, contents=SCANS)
    deletion = ask(dataset)

    run(deletion.pk)

    assert list(Dataset.objects.all()) == [kept]
    blobs = Blob.objects.filter(images__dataset=kept)
    assert sorted(store.read(blob.original_key) for blob in blobs) == SCANS[:3]
    assert all(store.exists(blob.thumbnail_key) for blob in blobs)
    assert len(list(store.keys())) == 2 * 3
    deletion.refresh_from_db()
    assert deletion.counts["images"] == 7
    assert (deletion.objects_removed, deletion.bytes_removed) == (2 * 4, sum(map(len, SCANS[3:])))
    assert list(reconcile()) == []


def test_of_two_datasets_that_share_bytes_the_second_to_go_takes_them(user, store):
    first = ask(make_dataset(user, contents=SCANS, name="first"))
    second = ask(make_dataset(user, contents=SCANS, name="second"))

    run(first.pk)
    run(second.pk)

    assert_nothing_is_left(store)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.objects_removed, second.objects_removed) == (0, 2 * len(SCANS))


def test_an_unfinished_upload_is_aborted_and_its_parts_go(user, store):
    dataset = make_dataset(user, contents=[])
    multipart_id = store.start_multipart("uploads/ab12")
    add_upload(dataset, size=5, state=UploadState.OPEN, key="uploads/ab12", multipart_id=multipart_id)
    deletion = ask(dataset)

    run(deletion.pk)

    assert_nothing_is_left(store)
    deletion.refresh_from_db()
    assert (deletion.counts["uploads"], deletion.objects_removed, deletion.bytes_removed) == (1, 0, 0)


def test_blobs_touched_a_moment_ago_are_waited_for(user, store, settings):
    settings.DEEPCAP_BLOB_GRACE = timedelta(seconds=60)
    deletion = ask(make_dataset(user, contents=SCANS))

    assert run(deletion.pk) is False

    deletion.refresh_from_db()
    assert (deletion.stage, deletion.attempts) == (DeletionStage.OBJECTS, 0)
    assert not Dataset.objects.exists()
    assert len(list(store.keys())) == 2 * len(SCANS)
    assert due_deletions() == [] == [deletion.pk] * run(deletion.pk)  # not before the pause is over

    Blob.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
    end_pause()
    assert due_deletions() == [deletion.pk]
    run(deletion.pk)
    assert_nothing_is_left(store)


def test_a_storage_that_fails_is_tried_again_later_and_later_and_never_given_up(user, store, monkeypatch):
    def unreachable(prefixes):
        raise OSError("The storage is away.")

    deletion = ask(make_dataset(user, contents=SCANS))
    pauses = []
    with monkeypatch.context() as broken:
        broken.setattr(type(store), "remove_prefixes", lambda self, prefixes: unreachable(prefixes))
        for attempt in range(1, 12):
            with pytest.raises(OSError, match="away"):
                run(deletion.pk)
            deletion.refresh_from_db()
            assert (deletion.state, deletion.attempts) == (WorkState.RUNNING, attempt)
            assert run(deletion.pk) is False
            assert due_deletions() == []
            pauses.append(deletion.lease_until - timezone.now())
            end_pause()
            assert due_deletions() == [deletion.pk]
    assert pauses[0] < pauses[1] < pauses[4]
    assert pauses[-1] <= work.LONGEST_PAUSE

    run(deletion.pk)

    assert_nothing_is_left(store)
    deletion.refresh_from_db()
    assert receipt(deletion)["status"] == "done"
    assert deletion.objects_removed == 2 * len(SCANS)


def test_a_message_that_got_lost_is_sent_again(user):
    deletion = ask(make_dataset(user, contents=SCANS))
    assert due_deletions() == []  # announced a moment ago
    Deletion.objects.update(sent_at=timezone.now() - timedelta(minutes=5))

    assert due_deletions() == [deletion.pk]
    assert due_deletions() == []


def test_two_workers_do_not_work_on_the_same_deletion(user):
    deletion = ask(make_dataset(user, contents=SCANS))
    Deletion.objects.claim(deletion.pk)

    assert run(deletion.pk) is False
    assert Image.objects.count() == len(SCANS)


def test_a_worker_that_lost_its_lease_takes_back_what_it_had_not_committed(user, monkeypatch):
    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 2)
    dataset = make_dataset(user, contents=SCANS)
    counted = sum(cascade.count(dataset).values())
    deletion = ask(dataset)
    batches = []

    def steal(self, table, pks):
        batches.append(table)
        if len(batches) == 3:
            later = timezone.now() + timedelta(minutes=1)
            Deletion.objects.update(lease_token=uuid.uuid4(), lease_until=later)

    with monkeypatch.context() as thief:
        thief.setattr(erase._Account, "before", steal)
        assert run(deletion.pk) is False
    deletion.refresh_from_db()
    assert len(batches) == 3
    assert 0 < sum(deletion.counts.values()) == counted - sum(cascade.count(dataset).values())

    end_pause()
    run(deletion.pk)

    deletion.refresh_from_db()
    assert sum(deletion.counts.values()) == counted


def test_a_turn_that_is_over_hands_the_rest_to_the_next(user, store, monkeypatch):
    monkeypatch.setattr(work, "TURN", timedelta(0))
    deletion = ask(make_dataset(user, contents=SCANS))

    assert run(deletion.pk) is True

    deletion.refresh_from_db()
    assert (deletion.stage, deletion.attempts, deletion.counts) == (DeletionStage.ROWS, 0, {})
    monkeypatch.undo()
    assert run(deletion.pk) is False
    assert_nothing_is_left(store)


def test_readers_see_the_other_datasets_all_the_time_and_never_this_one(user, monkeypatch):
    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 20)
    kept = make_rows(user, images=50, name="kept")
    deletion = ask(make_rows(user, images=400))
    seen, faults, over = set(), [], threading.Event()

    def read() -> None:
        try:
            while not over.is_set():
                listed = Dataset.objects.visible_to(user).values_list("name", "image_count")
                seen.add((*listed, Image.objects.visible_to(user).count()))
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            faults.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        run(deletion.pk)
    finally:
        over.set()
        reader.join()

    assert faults == []
    assert seen == {(("kept", 50), 50)}
    assert list(Dataset.objects.all()) == [kept]


def test_statements_for_each_batch_of_images_are_the_same_however_many_there_are(user, monkeypatch):
    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 50)

    def statements_for(images: int) -> int:
        deletion = ask(make_rows(user, images=images, studies=1, name=f"of {images}"))
        with CaptureQueriesContext(connection) as statements:
            erase.erase(Deletion.objects.claim(deletion.pk), until=math.inf)
        return len(statements)

    one, two, four = statements_for(50), statements_for(100), statements_for(200)

    assert two - one == (four - two) / 2
    assert two - one < 12


class TestWhatLaterRoomsHangUnderADataset:
    @pytest.fixture(autouse=True)
    def _names(self, later, monkeypatch):
        monkeypatch.setattr(hooks, "kinds", {})  # of the rooms that exist none counts for those that do not
        monkeypatch.setattr(hooks, "letting_go", {})
        hooks.name_kind("common.Finding", key="annotation_data")
        hooks.name_kind("common.Mark", key="annotations")
        hooks.name_kind("common.Training", key="training_tasks")
        hooks.name_kind("common.Job", key="inference_jobs")

    def annotate(self, later, dataset: Dataset, *, mask: bytes):
        """Findings with a mark on every image, one with a mask; a training on them; a job of it on the dataset."""
        finding = later.Finding.objects.create(dataset=dataset)
        marks = later.Mark.objects.bulk_create(
            later.Mark(finding=finding, image=image) for image in Image.objects.filter(dataset=dataset)
        )
        later.Mask.objects.create(mark=marks[0], blob_id=store_blobs([mask])[mask])
        later.Mask.objects.create(mark=marks[1])
        training = later.Training.objects.create(finding=finding)
        return finding, training, later.Job.objects.create(training=training, dataset=dataset)

    def test_they_are_counted_and_go_without_being_known(self, user, store, later):
        dataset = make_dataset(user, contents=SCANS)
        other = make_dataset(user, contents=SCANS[:2], name="other")
        _finding, training, _job = self.annotate(later, dataset, mask=b"mask")
        elsewhere = later.Job.objects.create(training=training, dataset=other)
        result = later.Finding.objects.create(dataset=other, source=elsewhere)
        self.annotate(later, other, mask=b"another mask")
        deletion = ask(dataset)
        told = {key: deletion.impact[key] for key in ("annotation_data", "annotations", "inference_jobs")}

        run(deletion.pk)

        deletion.refresh_from_db()
        assert told == {"annotation_data": 1, "annotations": 7, "inference_jobs": 2}
        assert {key: deletion.counts[key] for key in told} == told
        assert (deletion.counts["training_tasks"], deletion.counts["masks"]) == (1, 2)
        result.refresh_from_db()
        assert result.source_id is None  # what a job has found elsewhere stays there
        assert later.Mark.objects.count() == 2
        assert {store.read(blob.original_key) for blob in Blob.objects.all()} == {*SCANS[:2], b"another mask"}
        assert list(reconcile()) == []

    def test_a_kind_too_large_to_be_counted_can_say_its_number_itself(self, user, later):
        dataset = make_dataset(user, contents=SCANS)
        hooks.name_kind("common.Mark", key="annotations", count=lambda *, dataset_id: 10_000_000)

        assert ask(dataset).impact["annotations"] == 10_000_000

    def test_a_room_is_told_before_its_rows_go(self, user, later):
        told = []

        def remember(pks, *, deletion_id):
            told.append((later.Finding.objects.filter(pk__in=pks).count(), deletion_id, connection.in_atomic_block))

        hooks.before_erasing("common.Finding", remember)
        dataset = make_dataset(user, contents=SCANS)
        self.annotate(later, dataset, mask=b"mask")
        deletion = ask(dataset)

        run(deletion.pk)

        assert told == [(1, deletion.pk, True)]

    def test_a_part_of_a_dataset_goes_alone_by_the_same_machinery(self, user, store, later):
        dataset = make_dataset(user, contents=SCANS)
        finding, _training, _job = self.annotate(later, dataset, mask=b"mask")
        kept, *_ = self.annotate(later, dataset, mask=b"kept")
        counted = cascade.count(finding)
        deletion = request_deletion(target=finding, name="findings", owner=user, by=user, impact={})

        run(deletion.pk)

        deletion.refresh_from_db()
        assert receipt(deletion)["status"] == "done"
        assert sum(deletion.counts.values()) == sum(counted.values()) == 1 + 7 + 2 + 1 + 1
        assert list(later.Finding.objects.all()) == [kept]
        assert (Image.objects.count(), Study.objects.count(), later.Mask.objects.count()) == (7, 4, 2)
        assert AuditEvent.objects.filter(action="finding.deleted").exists()
        assert list(reconcile()) == []
