"""The four records over HTTP: what people ask for, and how services with scoped tokens do it."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from annotations.models import AnnotationData, AnnotationDataStatus, LabelImport
from annotations.tasks import run_import
from datasets.services.uploads import open_upload
from usage.models import AnnotationProject, TrainingTask
from usage.services.annotation_jobs import create_annotation_job

from .builders import TYPES, make_inference, make_labelled, make_project, make_training, predict, train

pytestmark = pytest.mark.django_db
API = "/api/v1/"


def post(client, path, body=None, **kwargs):
    return client.post(f"{API}{path}", body or {}, format="json", **kwargs)


def patch(client, path, **body):
    return client.patch(f"{API}{path}", body, format="json")


def test_a_training_from_start_to_finish(api, service_of, user):
    _dataset, data = make_labelled(user)
    asked = post(api, "training-tasks/", {"annotation_data": data.pk, "name": "Lungs", "architecture": "logistic"})
    assert asked.status_code == 201
    assert (asked.json()["status"], asked.json()["place_in_line"]) == ("waiting", 1)
    assert asked.json()["annotation_type"] == data.annotation_type

    trainer = service_of("training")
    claimed = post(trainer, "training-tasks/claim/").json()
    assert (claimed["id"], claimed["status"], claimed["claimed_as"]) == (asked.json()["id"], "running", "svc")
    path, claim = f"training-tasks/{claimed['id']}/", claimed["claim"]
    beat = post(trainer, f"{path}heartbeat/", {"claim": claim, "progress": 50})
    assert beat.json() == {"cancelled": False, "status": "running", "lease_seconds": 120}
    values = [{"name": "accuracy", "step": step, "value": step / 10} for step in range(10)]
    assert post(trainer, f"{path}metrics/", {"claim": claim, "metrics": values}).status_code == 200
    assert post(trainer, f"{path}metrics/", {"claim": claim, "metrics": values[:3]}).status_code == 200
    model = SimpleUploadedFile("model.joblib", b"weights")
    stored = trainer.post(f"{API}{path}model/", {"claim": claim, "file": model}, format="multipart")
    assert stored.status_code == 201, stored.json()
    done = patch(trainer, path, claim=claim, status="finished", performance=0.9, performance_metric="accuracy")
    assert done.status_code == 200, done.json()
    again = patch(trainer, path, claim=claim, status="finished")
    assert again.json() == done.json()
    body = api.get(f"{API}{path}").json()
    assert (body["status"], body["progress"], body["performance"]) == ("finished", 100, 0.9)
    assert body["curve"] == [step / 10 for step in range(10)]
    assert (body["model"]["filename"], body["model"]["size"]) == ("model.joblib", 7)
    assert b"".join(api.get(f"{API}{path}model/").streaming_content) == b"weights"
    assert api.get(f"{API}{path}metrics/").json() == {"metrics": {"accuracy": [[n, n / 10] for n in range(10)]}}
    assert user.notifications.get().kind == "trainingtask.finished"


def test_there_is_no_training_without_annotation_data(api, user):
    answer = post(api, "training-tasks/", {"name": "nothing to learn"})
    assert (answer.status_code, answer.json()["code"]) == (400, "annotation_data_required")
    assert "annotation_data" in answer.json()["fields"]
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingTask.objects.create(name="past the gate", annotation_type="object_detection")


def test_annotation_data_that_are_not_available_are_not_trained_on(api, user):
    _dataset, data = make_labelled(user)
    AnnotationData.objects.filter(pk=data.pk).update(status=AnnotationDataStatus.IMPORT_FAILED)
    answer = post(api, "training-tasks/", {"annotation_data": data.pk, "name": "too early"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_available")


def test_somebody_elses_annotation_data_do_not_exist(stranger, user):
    _dataset, data = make_labelled(user)
    answer = post(stranger, "training-tasks/", {"annotation_data": data.pk, "name": "theft"})
    assert answer.status_code == 400
    assert "does not exist" in answer.json()["detail"]


def test_work_without_a_claim_is_advanced_by_its_owners_token(service_of, user):
    _dataset, data = make_labelled(user)
    path = f"training-tasks/{make_training(data).pk}/"
    client = service_of()
    assert patch(client, path, status="running", progress=10).json()["progress"] == 10
    assert patch(client, path, status="running", progress=30).json()["progress"] == 30
    assert patch(client, path, progress=40).json()["progress"] == 40
    assert patch(client, path, status="error", status_detail="no memory").json()["status_detail"] == "no memory"
    refused = patch(client, path, status="running")
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_refused")
    assert "Error" in refused.json()["detail"]
    assert patch(client, path, progress=50).json()["code"] == "work_ended"


def test_the_same_key_makes_one_record(api, user):
    _dataset, data = make_labelled(user)
    body = {"annotation_data": data.pk, "name": "once"}
    headers = {"Idempotency-Key": "k1"}
    first, second = (post(api, "training-tasks/", body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert post(api, "training-tasks/", body | {"client_key": "k2"}).json()["id"] != first.json()["id"]
    assert TrainingTask.objects.count() == 2
    api.delete(f"{API}training-tasks/{first.json()['id']}/", {"confirmation": "DELETE"}, format="json")
    assert post(api, "training-tasks/", body, headers=headers).json()["code"] == "gone"


def test_a_failed_request_leaves_its_key_free(api, user):
    _dataset, data = make_labelled(user)
    headers = {"Idempotency-Key": "k1"}
    assert (
        post(api, "training-tasks/", {"annotation_data": data.pk, "name": " \x00"}, headers=headers).status_code == 400
    )
    assert post(api, "training-tasks/", {"annotation_data": data.pk, "name": "x"}, headers=headers).status_code == 201


def test_a_service_learns_that_its_work_was_stopped_or_deleted(api, service_of, stranger, user):
    _dataset, data = make_labelled(user)
    trainer = service_of("training")
    for way in ("stop", "delete", "delete dataset"):
        make_training(data)
        claimed = post(trainer, "training-tasks/claim/").json()
        path = f"training-tasks/{claimed['id']}/"
        if way == "stop":
            assert patch(api, path, status="stopped").status_code == 200
        elif way == "delete":
            assert api.delete(f"{API}{path}", {"confirmation": "DELETE"}, format="json").status_code == 202
        else:
            answer = api.delete(f"{API}datasets/{data.dataset_id}/", {"confirmation": "DELETE"}, format="json")
            assert answer.status_code == 202
        beat = post(trainer, f"{path}heartbeat/", {"claim": claimed["claim"]})
        assert (beat.status_code, beat.json()["cancelled"]) == (200, True), way
        assert post(trainer, f"{path}heartbeat/", {"claim": "made up"}).status_code in (404, 409)
        assert post(stranger, f"{path}heartbeat/", {"claim": "made up"}).status_code == 404
        late = patch(trainer, path, claim=claimed["claim"], status="finished")
        assert late.status_code in (404, 409)


@pytest.mark.parametrize("scope", ["annotation", "training", "inference"])
def test_a_scoped_token_reads_all_and_writes_only_in_its_scope(service_of, user, scope):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    make_inference(task, dataset)
    make_project(dataset)
    client = service_of(scope)
    assert client.get(f"{API}datasets/").json()["count"] == 1
    claims = {"annotation": "annotation-projects", "training": "training-tasks", "inference": "inference-jobs"}
    for needed, path in claims.items():
        answer = post(client, f"{path}/claim/")
        if needed == scope:
            assert answer.status_code in (200, 204)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "outside_scope")
    own = client.delete(f"{API}{claims[scope]}/1/", {"confirmation": "DELETE"}, format="json")
    assert own.json()["code"] == "outside_scope"
    assert client.patch(f"{API}datasets/{dataset.pk}/", {"name": "x"}, format="json").json()["code"] == "outside_scope"
    upload = open_upload(owner=user, filename="a.zip", size=10)
    assert client.get(f"{API}uploads/{upload.pk}/").status_code == 200
    part = client.get(f"{API}uploads/{upload.pk}/parts/1/")  # a signed address, to which anybody may write
    assert (part.status_code, part.json()["code"]) == (403, "outside_scope")


def test_an_inference_from_start_to_annotation_data(api, service_of, user):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    elsewhere, truth = make_labelled(user)
    body = {"training_task": task.pk, "dataset": elsewhere.pk, "ground_truth": truth.pk, "name": "Clinic B"}
    asked = post(api, "inference-jobs/", body)
    assert asked.status_code == 201, asked.json()
    assert asked.json()["prediction_only"] is False
    path = f"inference-jobs/{asked.json()['id']}/"
    assert post(api, f"{path}annotation-data/").json()["code"] == "no_results"

    service = service_of("inference")
    claim = post(service, "inference-jobs/claim/").json()["claim"]
    rows = "".join(f"{name},normal\n" for name in elsewhere.images.values_list("path", flat=True))
    file = SimpleUploadedFile("predictions.csv", rows.encode())
    form = {"claim": claim, "file": file, "file_format": "csv"}
    assert service.post(f"{API}{path}predictions/", form, format="multipart").status_code == 201
    done = patch(service, path, claim=claim, status="finished", accuracy=0.5, metrics={"accuracy": 0.5})
    assert done.status_code == 200

    headers = {"Idempotency-Key": "export"}
    exported = [post(api, f"{path}annotation-data/", {"name": "Predicted"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in exported] == [202, 202]
    assert exported[0].json()["id"] == exported[1].json()["id"]
    run_import(LabelImport.objects.get(annotation_data=exported[0].json()["id"]).pk)
    made = api.get(f"{API}annotation-data/{exported[0].json()['id']}/").json()
    assert (made["status"], made["name"], made["image_count"]) == ("available", "Predicted", 3)
    source = {"kind": "inference_job", "name": "Clinic B", "id": asked.json()["id"], "training_task": task.pk}
    assert made["source"] == source
    assert api.get(f"{API}datasets/{elsewhere.pk}/").json()["usage"]["inference_jobs"] == 1
    assert dataset.pk != elsewhere.pk


def test_there_is_no_inference_without_a_model(api, user):
    dataset, data = make_labelled(user)
    body = {"training_task": make_training(data).pk, "dataset": dataset.pk, "name": "too early"}
    assert post(api, "inference-jobs/", body).json()["code"] == "no_model"


def test_ground_truth_is_of_the_dataset(api, user):
    _dataset, data = make_labelled(user)
    elsewhere, _truth = make_labelled(user)
    task = train(make_training(data))
    body = {"training_task": task.pk, "dataset": elsewhere.pk, "ground_truth": data.pk, "name": "mixed up"}
    assert post(api, "inference-jobs/", body).json()["code"] == "ground_truth_mismatch"


def test_a_projects_results_become_annotation_data(api, service_of, user):
    dataset, _data = make_labelled(user)
    body = {"dataset": dataset.pk, "name": "Reading", "annotation_types": TYPES, "members": [{"user": user.username}]}
    asked = post(api, "annotation-projects/", body)
    assert asked.status_code == 201, asked.json()
    path = f"annotation-projects/{asked.json()['id']}/"
    service = service_of("annotation")
    claim = post(service, "annotation-projects/claim/").json()["claim"]
    published = patch(service, path, claim=claim, status="in_progress").json()
    assert (published["status"], published["annotation_job_count"], published["study_count"]) == ("in_progress", 1, 3)
    [job] = api.get(f"{API}annotation-jobs/?project={asked.json()['id']}").json()["results"]
    studies = api.get(f"{API}annotation-jobs/{job['id']}/studies/").json()["results"]
    states = [{"study": study["study"], "state": "finished"} for study in studies]
    assert patch(service, f"annotation-jobs/{job['id']}/", studies=states).json()["status"] == "finished"
    assert api.get(f"{API}{path}").json()["annotated_count"] == 3
    rows = "".join(f"{name},abnormal\n" for name in dataset.images.values_list("path", flat=True))
    form = {"claim": claim, "file": SimpleUploadedFile("label.csv", rows.encode()), "file_format": "csv"}
    assert service.post(f"{API}{path}results/", form, format="multipart").status_code == 201
    assert patch(service, path, claim=claim, status="finished").json()["status"] == "finished"
    made = post(api, f"{path}annotation-data/").json()
    run_import(LabelImport.objects.get(annotation_data=made["id"]).pk)
    data = AnnotationData.objects.get(pk=made["id"])
    assert (data.status, data.source_kind, data.source_detail["name"]) == ("available", "annotation_project", "Reading")


def test_lists_filter_search_and_sort(api, user):
    dataset, data = make_labelled(user)
    first, second = make_training(data, name="Alpha"), make_training(data, name="beta")
    train(first)
    elsewhere, other = make_labelled(user)
    make_training(other, name="gamma")

    def ids(query):
        return [row["id"] for row in api.get(f"{API}training-tasks/?{query}").json()["results"]]

    assert ids(f"dataset={dataset.pk}") == [second.pk, first.pk]
    assert len(ids(f"annotation_data={other.pk}")) == 1
    assert ids("status=finished") == [first.pk]
    assert len(ids("status=finished&status=waiting")) == 3
    assert ids("search=ALPH") == [first.pk]
    assert ids("ordering=created_at")[0] == first.pk
    assert api.get(f"{API}training-tasks/?status=deleting").status_code == 400
    assert elsewhere.pk != dataset.pk


@pytest.mark.parametrize("path", ["annotation-projects", "annotation-jobs", "training-tasks", "inference-jobs"])
def test_a_list_asks_as_much_for_many_rows_as_for_one(api, user, other_user, path):
    def add():
        dataset, data = make_labelled(user)
        task = train(make_training(data))
        predict(make_inference(task, dataset, ground_truth=data))
        project = make_project(dataset, annotation_data=[data], annotators=[other_user])
        create_annotation_job(project=project, by=user, assignee=other_user, role="annotator")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            answer = api.get(f"{API}{path}/")
        return len(captured), answer.json()["count"]

    add()
    one = queries()
    for _ in range(4):
        add()
    many = queries()
    assert (one[1], many[1]) == (1, 5)
    assert many[0] == one[0]


def test_a_member_sees_their_project_and_job_but_leads_neither(stranger, other_user, user):
    dataset, _data = make_labelled(user)
    project = make_project(dataset, annotators=[other_user], publish=True)
    job = project.jobs.get()
    assert stranger.get(f"{API}annotation-projects/{project.pk}/").status_code == 200
    assert stranger.get(f"{API}annotation-jobs/{job.pk}/").status_code == 200
    assert stranger.get(f"{API}datasets/{dataset.pk}/").status_code == 404
    for path in (f"annotation-projects/{project.pk}/", f"annotation-jobs/{job.pk}/"):
        answer = stranger.delete(f"{API}{path}", {"confirmation": "DELETE"}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_the_owner")
        assert patch(stranger, path, status="stopped").status_code == 403
    states = [{"study": pk, "state": "finished"} for pk in job.studies.values_list("study", flat=True)]
    assert patch(stranger, f"annotation-jobs/{job.pk}/", studies=states).status_code == 200
    assert post(stranger, "annotation-projects/claim/").status_code == 204
    assert AnnotationProject.objects.get(pk=project.pk).annotated_count == 3


def test_values_that_are_no_numbers_are_refused(service_of, user):
    _dataset, data = make_labelled(user)
    make_training(data)
    trainer = service_of("training")
    claimed = post(trainer, "training-tasks/claim/").json()
    body = {"claim": claimed["claim"], "metrics": [{"name": "loss", "step": 1, "value": "nan"}]}
    assert post(trainer, f"training-tasks/{claimed['id']}/metrics/", body).status_code == 400


def test_within_the_trash_period_a_task_is_restored_over_the_api_and_is_stopped(api, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    _dataset, data = make_labelled(user)
    path = f"{API}training-tasks/{make_training(data).pk}/"
    deletion = api.delete(path, {"confirmation": "DELETE"}, format="json").json()
    assert (deletion["status"], deletion["impact"]["training_tasks"]) == ("waiting", 1)
    assert api.get(path).status_code == 404
    assert api.post(f"{API}deletions/{deletion['id']}/restore/").status_code == 202
    assert api.get(path).json()["status"] == "stopped"
