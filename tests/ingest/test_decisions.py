"""What people and operators do about an ingest: cancel it, keep what it brought, give it another try."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.utils import timezone

from datasets.archives import ArchiveLimits
from datasets.errors import NotTheOwner, WrongState
from datasets.ingest import pipeline
from datasets.ingest.recount import recount
from datasets.models import Dataset, DatasetStatus, Image, Ingest, IngestBatch
from datasets.services.ingests import cancel_ingest, keep_accepted, retry_ingest
from datasets.services.progress import progress_of, with_progress
from deepcap.accounts.models import AuditEvent
from deepcap.common.leases import WorkState
from tests.builders import png, zip_of

from .conftest import upload, work_on

pytestmark = pytest.mark.django_db

MEMBERS = [(f"{number}.png", png(number)) for number in range(12)]


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("datasets.ingest.index.MEMBERS_PER_BATCH", 4)


def test_what_was_read_before_cancelling_can_be_kept(user, small_batches):
    dataset = work_on(upload(user, zip_of(MEMBERS)), turns=3)
    cancel_ingest(dataset=dataset, by=user)
    work_on(dataset)
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 8)
    assert dataset.status_detail == "Cancelled after 8 of 12 files."
    keep_accepted(dataset=dataset, by=user)
    assert (dataset.status, dataset.status_detail) == (DatasetStatus.AVAILABLE, "")
    assert list(AuditEvent.objects.values_list("action", flat=True))[:2] == ["dataset.kept", "dataset.ingest_cancelled"]


def test_a_batch_in_hand_when_the_ingest_is_cancelled_is_not_kept(user, small_batches, monkeypatch):
    dataset = work_on(upload(user, zip_of(MEMBERS)), turns=1)
    read_members = pipeline.read.__globals__["_read_members"]

    def cancelled_meanwhile(*args, **kwargs):
        reading = read_members(*args, **kwargs)
        cancel_ingest(dataset=dataset, by=user)
        return reading

    monkeypatch.setitem(pipeline.read.__globals__, "_read_members", cancelled_meanwhile)
    work_on(dataset)
    assert not Image.objects.exists()
    assert dataset.status == DatasetStatus.PREPARATION_FAILED


def test_a_finished_ingest_cannot_be_cancelled(ingest, user):
    with pytest.raises(WrongState):
        cancel_ingest(dataset=ingest(MEMBERS), by=user)


def test_only_the_owner_cancels_and_keeps(ingest, other_user):
    dataset = ingest([*MEMBERS, ("bad.png", b"\x89PNG\r\n\x1a\n")])
    for decision in (cancel_ingest, keep_accepted):
        with pytest.raises(NotTheOwner):
            decision(dataset=dataset, by=other_user)


def test_nothing_accepted_is_nothing_to_keep(ingest, user):
    with pytest.raises(WrongState):
        keep_accepted(dataset=ingest([("bad.png", b"\x89PNG\r\n\x1a\n")]), by=user)


def test_a_batch_that_ends_every_worker_is_split_and_its_poison_rejected_alone(user, small_batches):
    dataset = work_on(upload(user, zip_of(MEMBERS)), turns=1)
    IngestBatch.objects.filter(number=1).update(attempts=pipeline.MAX_ATTEMPTS)
    work_on(dataset, turns=3)
    IngestBatch.objects.filter(state=WorkState.PENDING, member_count=1, number=4).update(attempts=pipeline.MAX_ATTEMPTS)
    work_on(dataset)
    assert [(problem.path, problem.code) for problem in dataset.problems.all()] == [("5.png", "processing_failed")]
    assert dataset.image_count == 11


def test_an_ingest_that_ends_every_worker_is_given_up_and_can_be_tried_again_by_an_operator(user, operator):
    dataset = upload(user, zip_of(MEMBERS))
    Ingest.objects.update(attempts=pipeline.MAX_ATTEMPTS)
    work_on(dataset)
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert [problem.code for problem in dataset.problems.all()] == ["processing_failed"]
    retry_ingest(dataset=dataset, by=operator)
    work_on(dataset)
    assert (dataset.status, dataset.image_count) == (DatasetStatus.AVAILABLE, 12)
    assert not dataset.problems.exists()


FAULTS = [
    OSError("the disk is gone"),
    EndpointConnectionError(endpoint_url="https://storage"),
    ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "GetObject"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_of_the_storage_is_raised_and_costs_no_attempt(user, monkeypatch, fault):
    dataset = work_on(upload(user, zip_of(MEMBERS)), turns=1)
    read_batch = pipeline.read.__globals__["read_batch"]

    def broken(*args, **kwargs):
        raise fault

    monkeypatch.setitem(pipeline.read.__globals__, "read_batch", broken)
    with pytest.raises(type(fault)):
        pipeline.read_next(dataset.ingest.pk)
    batch = IngestBatch.objects.get()
    assert batch.attempts == 0
    assert batch.lease_until > timezone.now()  # cools off
    monkeypatch.setitem(pipeline.read.__globals__, "read_batch", read_batch)
    IngestBatch.objects.update(lease_until=timezone.now())
    work_on(dataset)
    assert dataset.status == DatasetStatus.AVAILABLE


def test_lost_messages_are_found_by_the_sweep(user, small_batches):
    dataset = upload(user, zip_of(MEMBERS))
    Ingest.objects.update(sent_at=None)
    assert [(what.ingest_id, what.advance) for what in pipeline.due()] == [(dataset.ingest.pk, True)]
    assert pipeline.due() == []  # it has just been announced
    work_on(dataset, turns=1)
    assert [what.readers for what in pipeline.due()] == [3]


def test_wrong_counts_are_corrected_and_reported(ingest, caplog):
    dataset = ingest(MEMBERS)
    Dataset.objects.filter(pk=dataset.pk).update(study_count=7, covers=[])
    assert recount(dataset.pk).keys() == {"study_count", "covers"}
    dataset.refresh_from_db()
    assert dataset.study_count == 12
    assert "were wrong" in caplog.text
    assert recount(dataset.pk) == {}


def test_trying_again_forgets_no_file_that_was_refused(user, operator):
    dataset = upload(user, zip_of([*MEMBERS, ("bad.png", b"\x89PNG\r\n\x1a\n")]))
    work_on(dataset, turns=2)
    given_up = dataset.problems.get()
    dataset.problems.filter(pk=given_up.pk).update(code="processing_failed")  # as a file that ended its workers is
    Ingest.objects.update(attempts=pipeline.MAX_ATTEMPTS, state=WorkState.PENDING)
    work_on(dataset)
    assert dataset.problems.count() == 2
    retry_ingest(dataset=dataset, by=operator)
    work_on(dataset)
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 12)
    assert [problem.path for problem in dataset.problems.all()] == ["bad.png"]
    assert dataset.ingest.rejected == 1


def test_how_far_a_cancelled_ingest_came_is_told(user, small_batches):
    dataset = work_on(upload(user, zip_of(MEMBERS)), turns=2)
    cancel_ingest(dataset=dataset, by=user)
    work_on(dataset)
    progress = progress_of(with_progress(Dataset.objects.all()).get())
    assert (progress.stage, progress.done, progress.total) == ("done", 4, 12)


def test_a_file_that_no_memory_holds_is_refused_before_it_is_read(user, store, monkeypatch):
    monkeypatch.setattr("datasets.ingest.index.archive_limits", lambda: ArchiveLimits(max_member_bytes=50))
    monkeypatch.setattr(type(store), "read", lambda *_: pytest.fail("it was read"))
    dataset = work_on(upload(user, png(1, width=200, height=200), "huge.png"))
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    [problem] = dataset.problems.all()
    assert (problem.path, problem.code) == ("huge.png", "member_too_large")
