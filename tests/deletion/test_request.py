"""Asking for a deletion: whose right it is, what it says, what it stops, and how it is undone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.deletion import due_deletions, impact, receipt, run
from datasets.errors import ConfirmationRequired, NotTheOwner, WrongState
from datasets.models import (
    Dataset,
    DatasetStatus,
    Deletion,
    DeletionStage,
    Image,
    Ingest,
    IngestBatch,
    IngestStage,
    UploadState,
)
from datasets.services.deletions import delete_dataset, restore_dataset
from deepcap.accounts.models import AuditEvent
from deepcap.common.leases import LeaseLost, WorkState

from .build import add_upload, make_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

SCANS = [f"scan {number}".encode() for number in range(5)]


@pytest.fixture
def dataset(user) -> Dataset:
    return make_dataset(user, contents=SCANS)


def test_the_impact_says_what_goes_and_what_stays_for_others(user, other_user, dataset):
    make_dataset(other_user, contents=SCANS[:2], name="copy")

    assert impact(dataset) == {
        "studies": 3,
        "images": 5,
        "annotation_data": 0,
        "annotations": 0,
        "annotation_projects": 0,
        "annotation_jobs": 0,
        "training_tasks": 0,
        "inference_jobs": 0,
        "size_bytes": sum(map(len, SCANS)),
        "shared_bytes": sum(map(len, SCANS[:2])),
    }


def test_the_impact_counts_bytes_once_that_a_dataset_holds_twice(user):
    dataset = make_dataset(user, contents=[b"same", b"same", b"other"])

    assert impact(dataset)["size_bytes"] == len(b"same") + len(b"other")
    assert impact(dataset)["shared_bytes"] == 0


def test_while_a_dataset_is_being_prepared_its_rows_are_counted(dataset):
    told = impact(dataset)
    Dataset.objects.filter(pk=dataset.pk).update(
        status=DatasetStatus.PREPARING, image_count=0, study_count=0, size_bytes=0
    )

    assert impact(Dataset.objects.get(pk=dataset.pk)) == told


@pytest.mark.parametrize("word", ["delete", "Delete", " DELETE", "DELETE ", "", "DELETE\n", None, True, ["DELETE"]])
def test_anything_but_the_exact_word_is_refused(user, dataset, word):
    with pytest.raises(ConfirmationRequired):
        delete_dataset(dataset=dataset, by=user, confirmation=word)

    assert Dataset.objects.get().status == DatasetStatus.AVAILABLE
    assert not Deletion.objects.exists()


def test_only_the_owner_may_delete_and_operators(other_user, operator, dataset):
    with pytest.raises(NotTheOwner):
        delete_dataset(dataset=dataset, by=other_user, confirmation="DELETE")
    assert not Deletion.objects.exists()

    deletion = delete_dataset(dataset=dataset, by=operator, confirmation="DELETE")

    assert deletion.requested_by == operator
    assert deletion.owner == dataset.owner


def test_a_dataset_asked_to_go_is_off_every_list_at_once_and_recorded(user, operator, dataset):
    expected = impact(dataset)

    deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

    assert dataset.status == DatasetStatus.DELETING
    for person in (user, operator):
        assert not Dataset.objects.visible_to(person).exists()
        assert not Image.objects.visible_to(person).exists()
    assert deletion.impact == expected
    event = AuditEvent.objects.get(action="dataset.deletion_requested")
    assert (event.actor, event.target_name) == (user, "chest")
    assert event.details == {"deletion": deletion.pk, "impact": expected}
    told = receipt(deletion)
    assert (told["status"], told["counts"]["images"], told["finished_at"]) == ("running", 0, None)


def test_a_worker_is_told_after_the_commit(user, dataset, django_capture_on_commit_callbacks, monkeypatch):
    told = []
    monkeypatch.setattr("datasets.tasks.run_deletion.delay", told.append)
    with django_capture_on_commit_callbacks() as callbacks:
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    assert told == []

    for callback in callbacks:
        callback()

    assert told == [deletion.pk]


def test_deleting_twice_returns_the_deletion_that_is_under_way(user, dataset):
    second_look = Dataset.objects.get(pk=dataset.pk)
    first = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

    assert delete_dataset(dataset=dataset, by=user, confirmation="DELETE") == first
    assert delete_dataset(dataset=second_look, by=user, confirmation="DELETE") == first
    assert Deletion.objects.get().status_before == DatasetStatus.AVAILABLE
    assert AuditEvent.objects.filter(action="dataset.deletion_requested").count() == 1


def test_its_name_can_be_used_again_at_once(user, dataset):
    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

    make_dataset(user, contents=[], name=dataset.name)


def reading(dataset: Dataset) -> tuple[Ingest, IngestBatch]:
    """Make it a dataset whose second batch a worker holds, and return its ingest and that batch."""
    Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.PREPARING)
    Ingest.objects.filter(dataset=dataset).update(stage=IngestStage.READING, state=WorkState.PENDING)
    batch = IngestBatch.objects.create(ingest=dataset.ingest, number=2, members=[{}], member_count=1, byte_count=9)
    dataset.refresh_from_db()
    return Ingest.objects.get(dataset=dataset), IngestBatch.objects.claim(batch.pk)


def test_no_batch_can_be_committed_once_the_dataset_is_asked_to_go(user, dataset):
    ingest, batch = reading(dataset)
    waiting = IngestBatch.objects.create(ingest=ingest, number=3, members=[{}], member_count=1, byte_count=9)

    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

    with pytest.raises(LeaseLost):
        batch.release(WorkState.DONE)
    assert IngestBatch.objects.claim(waiting.pk) is None
    assert Ingest.objects.claim(ingest.pk) is None
    ingest.refresh_from_db()
    assert ingest.state == WorkState.CANCELLED
    assert ingest.cancelled_at is not None


class TestWithTimeToThinkBetterOfIt:
    @pytest.fixture(autouse=True)
    def _trash(self, settings):
        settings.DEEPCAP_TRASH_DAYS = 3

    def test_nothing_is_erased_before_the_time_is_over(self, user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        assert not Dataset.objects.visible_to(user).exists()
        assert receipt(deletion)["status"] == "waiting"
        assert deletion.restorable_until > timezone.now() + timedelta(days=2)
        assert due_deletions() == []
        assert run(deletion.pk) is False
        assert Image.objects.count() == len(SCANS)

    def test_when_the_time_is_over_it_is_due_and_runs(self, user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
        Deletion.objects.update(restorable_until=timezone.now() - timedelta(seconds=1))

        assert due_deletions() == [deletion.pk]
        run(deletion.pk)

        deletion.refresh_from_db()
        assert receipt(deletion)["status"] == "done"
        assert not Dataset.objects.exists()
        with pytest.raises(WrongState):
            restore_dataset(deletion=deletion, by=user)

    def test_restored_it_is_as_it_was(self, user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        restored = restore_dataset(deletion=deletion, by=user)

        assert (restored.pk, restored.name, restored.status) == (dataset.pk, "chest", DatasetStatus.AVAILABLE)
        assert restored in Dataset.objects.visible_to(user)
        assert run(deletion.pk) is False
        deletion.refresh_from_db()
        assert receipt(deletion)["status"] == "restored"
        assert AuditEvent.objects.filter(action="dataset.restored").count() == 1

    def test_restored_it_can_be_deleted_again(self, user, dataset):
        restore_dataset(deletion=delete_dataset(dataset=dataset, by=user, confirmation="DELETE"), by=user)

        again = delete_dataset(dataset=Dataset.objects.get(), by=user, confirmation="DELETE")

        assert again.stage == DeletionStage.WAITING
        assert Deletion.objects.count() == 2

    def test_it_cannot_be_restored_twice_or_too_late(self, user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
        Deletion.objects.update(restorable_until=timezone.now())
        with pytest.raises(WrongState):
            restore_dataset(deletion=deletion, by=user)
        Deletion.objects.update(restorable_until=timezone.now() + timedelta(hours=1))
        restore_dataset(deletion=deletion, by=user)

        with pytest.raises(WrongState):
            restore_dataset(deletion=deletion, by=user)

    def test_a_stranger_cannot_restore(self, user, other_user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        with pytest.raises(NotTheOwner):
            restore_dataset(deletion=deletion, by=other_user)

    def test_under_a_name_taken_meanwhile_it_comes_back_numbered(self, user, dataset):
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
        make_dataset(user, contents=[], name="chest")

        assert restore_dataset(deletion=deletion, by=user).name == "chest (2)"

    def test_a_preparation_that_was_stopped_ends_like_a_cancelled_one(self, user, dataset):
        ingest, _batch = reading(dataset)
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        restored = restore_dataset(deletion=deletion, by=user)

        assert restored.status == DatasetStatus.PREPARING
        ingest.refresh_from_db()
        assert (ingest.stage, ingest.state) == (IngestStage.ARRANGING, WorkState.PENDING)
        assert ingest.cancelled_at is not None
        assert not IngestBatch.objects.claimable().exists()

    def test_a_preparation_that_had_read_everything_is_not_called_cancelled(self, user, dataset):
        reading(dataset)
        IngestBatch.objects.update(state=WorkState.DONE)
        Ingest.objects.update(stage=IngestStage.ARRANGING)
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        restore_dataset(deletion=deletion, by=user)

        ingest = Ingest.objects.get()
        assert (ingest.stage, ingest.state, ingest.cancelled_at) == (IngestStage.ARRANGING, WorkState.PENDING, None)

    def test_an_upload_goes_on_where_it_was(self, user):
        dataset = Dataset.objects.create(owner=user, name="on its way", status=DatasetStatus.UPLOADING)
        add_upload(dataset, size=10, state=UploadState.OPEN, key="uploads/ab12")
        deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")

        assert restore_dataset(deletion=deletion, by=user).status == DatasetStatus.UPLOADING
        assert dataset.upload.state == UploadState.OPEN
