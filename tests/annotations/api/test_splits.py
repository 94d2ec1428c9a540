"""``annotation-data/{id}/splits/``: previewed, saved, read, exported, trained on, given up."""

import pytest

from annotations.models import Split
from datasets.models import Dataset
from tests.annotations.combine.world import dataset_of, single
from usage.services.training_tasks import create_training_task

pytestmark = pytest.mark.django_db

BODY = {"name": "Paper", "shares": {"train": 2, "test": 1}, "seed": 3}


@pytest.fixture
def data(user):
    return single(dataset_of(user, "Chest", range(12)), *["x", "y", "y"] * 4)


@pytest.fixture
def url(data):
    return f"/api/v1/annotation-data/{data.pk}/splits/"


def test_a_preview_says_what_would_be_saved_and_writes_nothing(api, url):
    report = api.post(f"{url}preview/", BODY, format="json").json()
    assert [(part["name"], part["studies"], part["labels"]) for part in report["parts"]] == [
        ("train", 8, {"x": 3, "y": 5}),
        ("test", 4, {"x": 1, "y": 3}),
    ]
    assert (report["leaks"], report["without_patient"]) == ({"patients": 0, "images": 0}, 12)
    assert not Split.objects.exists()
    saved = api.post(url, BODY, format="json")
    assert saved.status_code == 201
    assert {key: saved.json()[key] for key in report} == report


def test_without_shares_there_are_train_validation_and_test(api, url):
    made = api.post(url, {"name": "usual"}, format="json").json()
    assert [part["name"] for part in made["parts"]] == ["train", "validation", "test"]


def test_the_studies_of_a_part_are_those_it_is_exported_with(api, data, url):
    split = api.post(url, BODY, format="json").json()
    whole = api.get(f"{url}{split['id']}/studies/", {"page_size": 5}).json()
    assert (whole["count"], len(whole["results"]), whole["results"][0]["part"]) == (12, 5, "train")
    part = api.get(f"{url}{split['id']}/studies/?part=test").json()
    assert part["count"] == len(part["results"]) == 4
    address = f"/api/v1/annotation-data/{data.pk}/export/"
    answer = api.get(address, {"split": split["id"], "part": "test"})
    paths = [line.split(",")[0] for line in b"".join(answer.streaming_content).decode().splitlines()]
    assert paths == [row["name"] for row in part["results"]]
    assert api.get(address, {"split": split["id"], "part": "holdout"}).json()["code"] == "part_unknown"
    assert api.get(address, {"split": 10**6}).status_code == 404
    assert api.get(address, {"split": "x"}).status_code == 404


def test_a_training_task_says_what_it_is_to_be_trained_on_and_keeps_it(api, data, url):
    split = api.post(url, BODY, format="json").json()
    body = {"name": "net", "annotation_data": data.pk, "split": split["id"]}
    task = api.post("/api/v1/training-tasks/", body, format="json").json()
    assert task["split"] == {
        "id": split["id"],
        "name": "Paper",
        "seed": 3,
        "by_patient": True,
        "stratified": True,
        "parts": ["train", "test"],
    }
    assert api.post("/api/v1/training-tasks/claim/", {}, format="json").json()["split"]["id"] == split["id"]
    refused = api.delete(f"{url}{split['id']}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "split_in_use")
    assert api.get(url).json()["results"][0]["training_task_count"] == 1


def test_the_split_of_other_annotation_data_is_refused(api, user, data, url):
    split = api.post(url, BODY, format="json").json()
    other = single(dataset_of(user, "Other", range(12)), *["x"] * 12)
    body = {"name": "net", "annotation_data": other.pk, "split": split["id"]}
    answer = api.post("/api/v1/training-tasks/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "split_unknown")
    assert api.get(f"/api/v1/annotation-data/{other.pk}/export/?split={split['id']}").status_code == 404
    assert create_training_task(annotation_data=other, by=user, name="without").split is None


def test_a_split_is_renamed_and_nothing_else_of_it(api, url):
    split = api.post(url, BODY, format="json").json()
    address = f"{url}{split['id']}/"
    changed = api.patch(address, {"name": "Book", "seed": 9}, format="json").json()
    assert changed == {**split, "name": "Book"}
    assert api.delete(address).status_code == 204
    assert api.get(url).json()["results"] == []


@pytest.mark.parametrize("body", [{"shares": {"a": 1}}, {"seed": -1}, {"seed": "x"}, {"shares": {"a": "x", "b": 1}}])
def test_what_cannot_be_is_refused_with_a_sentence(api, url, body):
    answer = api.post(f"{url}preview/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_dataset_becomes_a_dataset_a_part(api, data):
    body = {"shares": {"train": 2, "test": 1}, "annotation_data": data.pk}
    answer = api.post(f"/api/v1/datasets/{data.dataset_id}/split/", body, format="json")
    assert answer.status_code == 202
    assert [(made["name"], made["origin"]) for made in answer.json()] == [
        ("Chest – train", "combined"),
        ("Chest – test", "combined"),
    ]
    assert Dataset.objects.count() == 3
