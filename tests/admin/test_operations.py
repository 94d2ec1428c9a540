"""The buttons: each does what it says, by a service, and the audit log knows who pressed it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from annotations.models import Split
from annotations.services.combinations import Wanted, combine_datasets
from datasets.models import (
    Dataset,
    DatasetStatus,
    Deletion,
    DeletionStage,
    Image,
    Ingest,
    IngestBatch,
    IngestStage,
    Problem,
    StorageRemoval,
    Study,
    Upload,
    UploadState,
)
from deepcap.accounts.models import AuditEvent
from deepcap.common.admin import MOST_AT_ONCE, list_of, page_of
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest
from tests.usage.builders import make_inference, make_labelled, make_training, predict, train
from usage.models import Evaluation

from .rows import make_batches, make_deletion, make_upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_listens(sent):
    """Messages are noted, not delivered."""


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("pk")


def test_a_failed_ingest_is_retried(operate, operator, user, sent):
    dataset = make_dataset(user)
    ingest = make_ingest(dataset, stage=IngestStage.INDEXING, state=WorkState.FAILED, attempts=5)
    assert "tried again" in operate(dataset, "retry")
    ingest.refresh_from_db()
    dataset.refresh_from_db()
    assert (ingest.state, ingest.attempts, dataset.status) == (WorkState.PENDING, 0, DatasetStatus.QUEUED)
    assert sent == [("advance_ingest", (ingest.pk,))]
    assert (last_event().action, last_event().actor) == ("dataset.ingest_retried", operator)


def test_an_ingest_that_did_not_fail_is_not_retried_and_the_operator_is_told_why(operate, user, sent):
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset)
    assert "not given up" in operate(dataset, "retry")
    assert sent == []
    assert not AuditEvent.objects.exists()


def test_an_ingest_is_cancelled(operate, operator, user, sent):
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    ingest = make_ingest(dataset, stage=IngestStage.READING, state=WorkState.RUNNING)
    make_batches(ingest)
    assert "cancelled" in operate(dataset, "cancel")
    ingest.refresh_from_db()
    assert ingest.cancelled_at
    assert set(ingest.batches.values_list("state", flat=True)) == {WorkState.CANCELLED}
    assert sent == [("advance_ingest", (ingest.pk,))]
    assert (last_event().action, last_event().actor) == ("dataset.ingest_cancelled", operator)


def test_counts_are_corrected_and_the_difference_is_told_and_logged(operate, operator, user):
    dataset = make_dataset(user, studies=2, study_count=7)
    told = operate(dataset, "recount")
    assert "study_count 7 → 2" in told
    dataset.refresh_from_db()
    assert dataset.study_count == 2
    assert (last_event().action, last_event().actor) == ("dataset.recounted", operator)
    assert last_event().details["wrong"]["study_count"] == [7, 2]
    assert "were right" in operate(dataset, "recount")


def test_a_dataset_that_is_being_prepared_is_not_counted(operate, user):
    assert "not settled" in operate(make_dataset(user, status=DatasetStatus.PREPARING), "recount")


def test_work_messages_of_a_dataset_are_sent_again(operate, operator, user, sent):
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    ingest = make_ingest(dataset, stage=IngestStage.READING, state=WorkState.RUNNING, sent_at=None)
    make_batches(ingest, 3)
    assert "3 messages" in operate(dataset, "resend")
    assert sent == [("read_batch", (ingest.pk,))] * 3
    ingest.refresh_from_db()
    assert ingest.sent_at
    assert (last_event().action, last_event().actor) == ("dataset.work_resent", operator)


@pytest.mark.parametrize("state", [WorkState.PENDING, WorkState.RUNNING])
def test_a_stage_of_one_worker_is_announced_when_nobody_holds_it(operate, user, sent, state):
    ingest = make_ingest(
        make_dataset(user, status=DatasetStatus.QUEUED),
        stage=IngestStage.INDEXING,
        state=state,
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    assert "1 message was" in operate(ingest, "announce")
    assert sent == [("advance_ingest", (ingest.pk,))]


def test_an_ingest_that_a_worker_holds_is_not_announced(operate, user, sent):
    ingest = make_ingest(
        make_dataset(user, status=DatasetStatus.QUEUED),
        stage=IngestStage.INDEXING,
        state=WorkState.RUNNING,
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    assert "Nothing in this ingest waits" in operate(ingest, "announce")
    assert sent == []


def test_a_batch_is_announced_by_its_ingest(operate, user, sent):
    ingest = make_ingest(
        make_dataset(user, status=DatasetStatus.PREPARING), stage=IngestStage.READING, state=WorkState.RUNNING
    )
    make_batches(ingest, 1)
    operate(IngestBatch.objects.get(), "announce")
    assert sent == [("read_batch", (ingest.pk,))]


def test_a_dataset_is_deleted_after_its_numbers_were_shown_and_the_word_was_typed(
    office, operate, operator, user, sent
):
    dataset = make_dataset(user, "chest", studies=2)
    url = reverse("admin:datasets_dataset_operate", args=[dataset.pk, "delete"])
    page = office.get(url)
    rows = dict(page.context["table"]["rows"])
    assert (rows["studies"], rows["images"]) == (2, 2)

    for word in ("", "delete", "DELETE "):
        assert "Type DELETE" in operate(dataset, "delete", {"confirmation": word})
    assert not Deletion.objects.exists()
    assert Dataset.objects.get().status == DatasetStatus.AVAILABLE

    assert "was ordered" in operate(dataset, "delete", {"confirmation": "DELETE"})
    deletion = Deletion.objects.get()
    assert deletion.requested_by == operator
    assert Dataset.objects.get().status == DatasetStatus.DELETING
    assert Image.objects.count() == 2  # a worker erases, not the page
    assert sent == [("run_deletion", (deletion.pk,))]
    assert (last_event().action, last_event().actor) == ("dataset.deletion_requested", operator)


def test_a_deletion_that_waits_after_a_fault_goes_on_at_once(operate, operator, user, sent):
    deletion = make_deletion(user, state=WorkState.RUNNING, lease_until=timezone.now() + timedelta(minutes=10))
    assert "goes on" in operate(deletion, "run")
    assert Deletion.objects.claim(deletion.pk) is not None
    assert sent == [("run_deletion", (deletion.pk,))]
    assert (last_event().action, last_event().actor) == ("deletion.work_resent", operator)


def test_a_deletion_that_a_worker_holds_is_left_to_it(operate, user, sent):
    deletion = make_deletion(user)
    held = Deletion.objects.claim(deletion.pk)
    operate(deletion, "run")
    held.extend_lease()
    assert Deletion.objects.claim(deletion.pk) is None


@pytest.mark.parametrize("stage", [DeletionStage.DONE, DeletionStage.RESTORED, DeletionStage.WAITING])
def test_a_deletion_that_is_over_or_can_be_restored_does_not_run(operate, user, sent, stage):
    deletion = make_deletion(user, stage=stage, restorable_until=timezone.now() + timedelta(days=1))
    assert "is done, was undone" in operate(deletion, "run")
    assert sent == []


def test_a_deletion_that_has_not_begun_is_undone(operate, operator, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 3
    dataset = make_dataset(user, "chest", studies=1)
    operate(dataset, "delete", {"confirmation": "DELETE"})
    deletion = Deletion.objects.get()
    assert "Restored as chest" in operate(deletion, "restore")
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE
    assert (last_event().action, last_event().actor) == ("dataset.restored", operator)
    assert "too late" in operate(deletion, "restore")


def test_an_upload_is_given_up_with_its_dataset(office, operate, operator, user):
    upload = make_upload(user)
    assert "given up" in operate(upload, "give-up")
    assert not Upload.objects.exists()
    assert not Dataset.objects.exists()
    assert StorageRemoval.objects.get().prefix == upload.storage_key
    assert (last_event().action, last_event().actor) == ("upload.aborted", operator)
    assert office.get(page_of(upload)).status_code == 302  # it is gone


def test_a_complete_upload_is_not_given_up(operate, user):
    upload = make_upload(user, state=UploadState.COMPLETE)
    Dataset.objects.update(status=DatasetStatus.QUEUED)
    assert "is complete" in operate(upload, "give-up")
    assert Upload.objects.exists()


def test_an_operation_is_done_to_each_of_the_selected_rows(office, user, sent, django_capture_on_commit_callbacks):
    failed = [make_dataset(user) for _ in range(2)]
    for dataset in failed:
        make_ingest(dataset, stage=IngestStage.READING, state=WorkState.FAILED)
    fine = make_dataset(user, studies=1)
    data = {"action": "retry", "_selected_action": [dataset.pk for dataset in (*failed, fine)]}
    with django_capture_on_commit_callbacks(execute=True):
        response = office.post(list_of(Dataset), data)
    told = [str(message) for message in get_messages(response.wsgi_request)]
    assert sum("tried again" in sentence for sentence in told) == 2
    assert sum("not given up" in sentence for sentence in told) == 1
    assert Ingest.objects.filter(state=WorkState.PENDING).count() == 2
    assert len(sent) == 2


def test_more_rows_than_a_request_should_work_on_are_refused(office, user):
    Dataset.objects.bulk_create(
        Dataset(owner=user, name=f"dataset {number}", status=DatasetStatus.PREPARATION_FAILED, study_count=9)
        for number in range(MOST_AT_ONCE + 1)
    )
    data = {"action": "recount", "_selected_action": list(Dataset.objects.values_list("pk", flat=True))}
    response = office.post(list_of(Dataset), data)
    assert "at most" in str(*get_messages(response.wsgi_request))
    assert set(Dataset.objects.values_list("study_count", flat=True)) == {9}


def test_a_page_leads_to_what_is_under_a_dataset(office, user):
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset)
    page = office.get(page_of(dataset)).content.decode()
    for model in (Study, Image, Problem):
        url = list_of(model, dataset__id__exact=dataset.pk)
        assert f'<a href="{url}"' in page
        assert office.get(url).status_code == 200
    assert f'<a href="{page_of(dataset.ingest)}"' in page


def test_a_page_offers_only_what_applies(office, user):
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset)
    page = office.get(page_of(dataset)).content.decode()
    assert f'<form method="post" action="/admin/datasets/dataset/{dataset.pk}/operate/recount/">' in page
    assert f'<a href="/admin/datasets/dataset/{dataset.pk}/operate/delete/"' in page  # which asks first
    assert f"/{dataset.pk}/operate/retry/" not in page
    assert f"/{dataset.pk}/operate/cancel/" not in page


def test_predictions_that_were_given_up_are_compared_again(operate, operator, user, sent):
    dataset, data = make_labelled(user)
    evaluation = predict(make_inference(train(make_training(data)), dataset)).evaluation
    sent.clear()
    assert "are being compared already" in operate(evaluation, "compare-again")
    Evaluation.objects.update(state=WorkState.FAILED, attempts=5, problem="It ended every worker that tried.")
    assert "compared once more" in operate(evaluation, "compare-again")
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.attempts, evaluation.problem) == (WorkState.PENDING, 0, "")
    assert sent == [("run_evaluation", (evaluation.pk,))]
    assert (last_event().action, last_event().actor) == ("inferencejob.evaluated_again", operator)


def test_a_combination_is_stopped(operate, user, sent):
    sources = [{"dataset": make_dataset(user, studies=1).pk} for _ in range(2)]
    dataset = combine_datasets(wanted=Wanted(sources), by=user, name="Both")
    assert "stopped" in operate(dataset.combination, "stop")
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert "not under way" in operate(dataset.combination, "stop")


def test_a_split_is_deleted_unless_a_training_holds_it(operate, user, sent):
    _dataset, data = make_labelled(user)
    held, free = (Split.objects.create(annotation_data=data, name=name, report={"parts": []}) for name in "ab")
    make_training(data, split=held)
    assert "used this split" in operate(held, "delete")
    assert "deleted" in operate(free, "delete")
    assert list(Split.objects.all()) == [held]
