"""What uses a dataset goes with it, running work is ended first, and what survives survives."""

from __future__ import annotations

import io

import pytest

from annotations.models import AnnotationData, LabelImport
from annotations.services.deletions import delete_annotation_data, restore_annotation_data
from annotations.tasks import run_import
from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import sweep
from datasets.deletion import run
from datasets.errors import WrongState
from datasets.models import Blob, Dataset, Deletion, DeletionStage
from datasets.services.deletions import delete_dataset, restore_dataset
from deepcap.common.errors import DomainError
from usage.claims import claim_of
from usage.errors import WorkEnded
from usage.models import (
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    JobStudy,
    ProjectMember,
    TrainingMetric,
    TrainingTask,
)
from usage.services.annotation_jobs import create_annotation_job
from usage.services.deletions import delete_usage, restore_usage, usage_impact
from usage.services.exports import export_predictions
from usage.services.results import store_model
from usage.services.training_tasks import Measurement, add_metrics
from usage.services.work import claim_next, heartbeat

from .builders import make_inference, make_labelled, make_project, make_training, predict, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
USAGE = (AnnotationProject, AnnotationJob, JobStudy, ProjectMember, TrainingTask, TrainingMetric, InferenceJob)


def erase(deletion: Deletion) -> Deletion:
    while run(deletion.pk):
        pass
    deletion.refresh_from_db()
    assert deletion.stage == DeletionStage.DONE
    return deletion


def left():
    return {table._meta.label: table.objects.count() for table in USAGE if table.objects.exists()}


def used(user, other_user):
    """Return a dataset that is used in every way, by itself and from another one."""
    dataset, data = make_labelled(user)
    make_project(dataset, annotators=[user], reviewers=[other_user], publish=True)
    task = train(make_training(data))
    waiting = make_training(data)
    TrainingMetric.objects.create(training_task=task, name="loss", step=1, value=0.5)
    predict(make_inference(task, dataset, ground_truth=data))
    return dataset, data, task, waiting


def test_everything_that_uses_a_dataset_goes_with_it_and_the_receipt_says_so(user, other_user, store):
    dataset, _data, _task, _waiting = used(user, other_user)
    deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    expected = {"annotation_projects": 1, "annotation_jobs": 2, "training_tasks": 2, "inference_jobs": 1}
    assert {key: deletion.impact[key] for key in expected} == expected
    erase(deletion)
    assert {key: deletion.counts[key] for key in expected} == expected
    assert left() == {}
    assert not Blob.objects.exists()
    assert list(store.keys()) == []
    assert list(reconcile()) == []


def test_an_inference_elsewhere_goes_with_its_model_but_what_was_made_of_it_stays(user, other_user, store):
    dataset, _data, task, _waiting = used(user, other_user)
    elsewhere, _truth = make_labelled(user)
    job = predict(make_inference(task, elsewhere))
    made = export_predictions(inference_job=job, by=user, name="From the model")
    run_import(LabelImport.objects.get(annotation_data=made).pk)
    deletion = erase(delete_dataset(dataset=dataset, by=user, confirmation="DELETE"))
    assert deletion.counts["inference_jobs"] == 2
    assert left() == {}
    made.refresh_from_db()
    assert (made.status, made.image_count, made.source_detail["name"]) == ("available", 3, job.name)
    elsewhere.refresh_from_db()
    assert (elsewhere.inference_job_count, elsewhere.image_count) == (0, 3)
    assert list(reconcile()) == []


def test_running_work_is_ended_in_the_moment_its_dataset_is_hidden(user, other_user):
    dataset, _data, _task, waiting = used(user, other_user)
    claimed = claim_next(rows=TrainingTask.objects.visible_to(user), by=user, service="trainer")
    assert claimed.pk == waiting.pk
    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    row = TrainingTask.objects.get(pk=waiting.pk)
    assert (row.status, row.lease_until) == ("stopped", None)
    assert not heartbeat(row=row, claim=claim_of(claimed))
    with pytest.raises(WorkEnded):
        store_model(training_task=row, by=user, claim=claim_of(claimed), file=io.BytesIO(b"late"), filename="m")
    with pytest.raises(WorkEnded):
        add_metrics(training_task=row, by=user, claim=claim_of(claimed), metrics=[Measurement("loss", 1, 1.0)])
    assert set(AnnotationProject.objects.values_list("status", flat=True)) == {"stopped"}
    assert set(AnnotationJob.objects.values_list("status", flat=True)) == {"stopped"}


def test_a_late_upload_leaves_nothing_in_the_vault(user, store):
    _dataset, data = make_labelled(user)
    make_training(data)
    claimed = claim_next(rows=TrainingTask.objects.visible_to(user), by=user, service="trainer")
    before = sorted(store.keys())
    delete_usage(row=TrainingTask.objects.get(pk=claimed.pk), by=user, confirmation="DELETE")
    with pytest.raises(WorkEnded):
        store_model(training_task=claimed, by=user, claim=claim_of(claimed), file=io.BytesIO(b"late"), filename="m")
    sweep()
    assert sorted(store.keys()) == before


def test_the_members_of_a_project_are_told_and_the_person_who_deletes_is_not(user, other_user):
    dataset, *_rest = used(user, other_user)
    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    assert [note.kind for note in other_user.notifications.all()] == ["annotationproject.deleted"]
    assert not user.notifications.filter(kind="annotationproject.deleted").exists()


def test_deleting_annotation_data_takes_their_trainings_and_leaves_projects_and_inferences_they_judged(
    user, other_user
):
    dataset, data, _task, _waiting = used(user, other_user)
    truth_of = InferenceJob.objects.get()
    other_data = AnnotationData.objects.create(
        dataset=dataset, name="second", annotation_type=data.annotation_type, status="available"
    )
    other_task = train(make_training(other_data))
    judged = make_inference(other_task, dataset, ground_truth=data)
    deletion = delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE")
    assert (deletion.impact["training_tasks"], deletion.impact["inference_jobs"]) == (2, 1)
    dataset.refresh_from_db()
    assert (dataset.training_task_count, dataset.inference_job_count, dataset.annotation_project_count) == (1, 1, 1)
    erase(deletion)
    assert set(TrainingTask.objects.values_list("pk", flat=True)) == {other_task.pk}
    judged.refresh_from_db()
    assert (judged.ground_truth_id, judged.prediction_only) == (None, False)
    assert not InferenceJob.objects.filter(pk=truth_of.pk).exists()


@pytest.mark.parametrize("kind", ["project", "job", "task", "inference"])
def test_deleting_one_record_is_limited_to_what_hangs_under_it(user, other_user, kind):
    dataset, _data, task, _waiting = used(user, other_user)
    project = AnnotationProject.objects.get()
    row, gone = {
        "project": (project, {"annotation_projects": 1, "annotation_jobs": 2}),
        "job": (project.jobs.get(role="annotator"), {"annotation_jobs": 1}),
        "task": (task, {"training_tasks": 1, "inference_jobs": 1}),
        "inference": (InferenceJob.objects.get(), {"inference_jobs": 1}),
    }[kind]
    assert {key: number for key, number in usage_impact(row).items() if number} == gone
    with pytest.raises(DomainError) as refused:
        delete_usage(row=row, by=user, confirmation="delete")
    assert refused.value.code == "confirmation_required"
    deletion = erase(delete_usage(row=row, by=user, confirmation="DELETE"))
    assert {key: number for key, number in deletion.counts.items() if key in usage_impact(project) and number} == gone
    dataset.refresh_from_db()
    counts = {
        "annotation_projects": dataset.annotation_project_count,
        "annotation_jobs": dataset.annotation_job_count,
        "training_tasks": dataset.training_task_count,
        "inference_jobs": dataset.inference_job_count,
    }
    all_there = {"annotation_projects": 1, "annotation_jobs": 2, "training_tasks": 2, "inference_jobs": 1}
    assert counts == {key: number - gone.get(key, 0) for key, number in all_there.items()}
    assert list(reconcile()) == []


def test_only_the_owner_deletes(user, other_user):
    _dataset, _data, task, _waiting = used(user, other_user)
    with pytest.raises(DomainError) as refused:
        delete_usage(row=task, by=other_user, confirmation="DELETE")
    assert refused.value.code == "not_the_owner"


def test_a_deletion_asked_for_twice_is_one(user, other_user):
    _dataset, _data, task, _waiting = used(user, other_user)
    first, second = (delete_usage(row=task, by=user, confirmation="DELETE") for _ in range(2))
    assert first.pk == second.pk


def test_within_the_trash_period_everything_comes_back_stopped_and_counted(user, other_user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    dataset, data, _task, waiting = used(user, other_user)
    before = Dataset.objects.values().get(pk=dataset.pk)
    restore_dataset(deletion=delete_dataset(dataset=dataset, by=user, confirmation="DELETE"), by=user)
    assert Dataset.objects.values().get(pk=dataset.pk) == before
    waiting.refresh_from_db()
    assert waiting.status == "stopped"
    deletion = delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE")
    assert Dataset.objects.get(pk=dataset.pk).training_task_count == 0
    restore_annotation_data(deletion=deletion, by=user)
    assert Dataset.objects.values().get(pk=dataset.pk) == before
    fresh = make_training(AnnotationData.objects.get(pk=data.pk))
    deletion = delete_usage(row=fresh, by=user, confirmation="DELETE")
    assert not TrainingTask.objects.visible_to(user).filter(pk=fresh.pk).exists()
    assert restore_usage(deletion=deletion, by=user).status == "stopped"
    assert TrainingTask.objects.visible_to(user).filter(pk=fresh.pk).exists()


def test_a_job_that_has_a_successor_is_not_restored(user, other_user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    dataset, _data = make_labelled(user)
    project = make_project(dataset, annotators=[other_user], publish=True)
    deletion = delete_usage(row=project.jobs.get(), by=user, confirmation="DELETE")
    create_annotation_job(project=project, by=user, assignee=other_user, role="annotator")
    with pytest.raises(WrongState):
        restore_usage(deletion=deletion, by=user)
    deletion.refresh_from_db()
    assert deletion.stage == DeletionStage.WAITING
    assert [job.status for job in project.jobs.order_by("pk")] == ["deleting", "ongoing"]


@pytest.mark.parametrize("kind", [AnnotationProject, AnnotationJob, TrainingTask, InferenceJob])
def test_one_record_is_restored_with_all_under_it_and_counted_again(api, user, other_user, settings, kind):
    settings.DEEPCAP_TRASH_DAYS = 7
    dataset, data, _task, _waiting = used(user, other_user)
    row = kind.objects.visible_to(user).order_by("pk").first()

    def stored():
        return Dataset.objects.values().get(pk=dataset.pk), AnnotationData.objects.values().get(pk=data.pk)

    before, there = stored(), {table: table.objects.count() for table in USAGE}
    deletion = delete_usage(row=row, by=user, confirmation="DELETE")
    assert not run(deletion.pk)
    assert not kind.objects.visible_to(user).filter(pk=row.pk).exists()
    assert stored() != before
    answer = api.post(f"/api/v1/deletions/{deletion.pk}/restore/")
    assert answer.status_code == 202, answer.json()
    assert api.get(f"/api/v1/deletions/{deletion.pk}/").json()["status"] == "restored"
    assert stored() == before
    assert {table: table.objects.count() for table in USAGE} == there
    row.refresh_from_db()
    assert row.status in ("finished", "stopped")
    if kind is TrainingTask:
        assert InferenceJob.objects.visible_to(user).count() == 1
    again = api.post(f"/api/v1/deletions/{deletion.pk}/restore/")
    assert again.json()["code"] == "wrong_state"


def test_another_model_replaces_the_first_and_the_vault_lets_go_of_it(user, store):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim_next(rows=TrainingTask.objects.visible_to(user), by=user, service="trainer")
    before = len(list(store.keys()))
    for content in (b"first", b"second", b"second"):
        store_model(training_task=task, by=user, claim=claim_of(task), file=io.BytesIO(content), filename="m.bin")
    sweep()
    assert len(list(store.keys())) == before + 1
    assert store.read(task.model.original_key) == b"second"
    assert list(reconcile()) == []
