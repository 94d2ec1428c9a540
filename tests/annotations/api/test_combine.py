"""``datasets/combine/`` in the words of the contract."""

import json

import pytest

from datasets.models import Dataset
from tests.annotations.builders import make_annotation_data
from tests.annotations.combine.world import dataset_of, single
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db

URL = "/api/v1/datasets/combine/"


def post(api, body, url=URL):
    return api.post(url, body, format="json")


def test_two_datasets_become_one(api, user, django_capture_on_commit_callbacks):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [3, 4], folder="b/")
    one, two = single(a, "cat", "dog"), single(b, "Cat", "dog")
    body = {
        "name": "both",
        "annotation_data_name": "labels of both",
        "sources": [{"dataset": a.pk, "annotation_data": one.pk}, {"dataset": b.pk, "annotation_data": two.pk}],
        "label_map": {"Cat": "cat"},
        "on_conflict": "keep_first",
    }
    preview = post(api, {key: value for key, value in body.items() if key != "name"}, f"{URL}preview/")
    assert preview.status_code == 200
    assert Dataset.objects.count() == 2
    assert [match["match"] for match in preview.json()["label_matches"]] == ["case", "exact"]
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(api, body)
    assert answer.status_code == 202
    assert (answer.json()["origin"], answer.json()["status"]) == ("combined", "preparing")
    dataset = Dataset.objects.get(pk=answer.json()["id"])
    from annotations.tasks import run_combination

    run_combination(dataset.combination.pk)
    found = api.get(f"/api/v1/datasets/{dataset.pk}/").json()
    assert (found["status"], found["study_count"], found["annotation_data_count"]) == ("available", 4, 1)
    assert found["progress"]["stage"] == "done"
    [data] = api.get(f"/api/v1/datasets/{dataset.pk}/annotation-data/").json()["results"]
    assert (data["name"], data["source"]["kind"]) == ("labels of both", "combined")
    assert {label["name"]: label["image_count"] for label in data["labels"]} == {"cat": 2, "dog": 2}
    assert [source["dataset_name"] for source in data["source"]["sources"]] == ["a", "b"]


def refused(api, body, status, code):
    for url in (URL, f"{URL}preview/"):
        answer = post(api, {"name": "made", **body}, url)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not Dataset.objects.filter(name="made").exists()


def test_what_cannot_be_combined_is_refused_with_a_code(api, user, other_user):
    a, b, foreign = dataset_of(user, "a", [1]), dataset_of(user, "b", [2]), dataset_of(other_user, "c", [3])
    one, boxes = single(a, "x"), make_annotation_data(b, "object_detection", ["x"])
    two = single(b, "x")
    of_a, of_b = {"dataset": a.pk}, {"dataset": b.pk}
    refused(api, {"sources": [of_a]}, 400, "sources_too_few")
    refused(api, {"sources": [of_a, of_a]}, 400, "source_twice")
    refused(api, {"sources": [{"dataset": n} for n in range(51)]}, 400, "sources_too_many")
    refused(api, {"sources": [of_a, {"dataset": foreign.pk}]}, 404, "not_found")
    labelled = [{**of_a, "annotation_data": one.pk}, {**of_b, "annotation_data": boxes.pk}]
    refused(api, {"sources": labelled}, 400, "annotation_types_differ")
    refused(api, {"sources": [of_b, {**of_a, "annotation_data": two.pk}]}, 404, "not_found")
    labelled[1]["annotation_data"] = two.pk
    refused(api, {"sources": labelled, "on_conflict": "keep_all"}, 400, "keep_all_single_label")
    refused(api, {"sources": labelled, "label_map": {"x": " "}}, 400, "label_name_invalid")
    refused(api, {"sources": [of_a, {"dataset": make_dataset(user, "empty").pk}]}, 409, "wrong_state")


def test_the_quota_counts_what_is_new_to_the_owner(api, user, operator):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2])
    sources = [{"dataset": a.pk}, {"dataset": b.pk}]
    user.storage_quota_bytes = a.size_bytes + b.size_bytes + 500
    user.save()
    assert post(api, {"name": "shared", "sources": sources}).status_code == 202
    operator.storage_quota_bytes = 1
    operator.save()
    api.force_login(operator)
    answer = post(api, {"name": "foreign", "sources": sources})
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")


HOSTILE = [
    {"label_map": {"a\x00b": "x", "\ud800": "y", "": "z", "x" * 500: "w"}},
    {"sources": [{"dataset": 10**30}, {"dataset": 1}]},
    {"sources": [{"dataset": 1, "annotation_data": 10**30}, {"dataset": 2}]},
    {"sources": [{"dataset": -1}, {"dataset": 2}]},
    {"sources": [{"dataset": 1, "studies": [10**30]}]},
    {"sources": [{"dataset": 1, "studies": ["x"]}]},
    {"sources": 7},
    {"label_map": {"a": "\ud800"}},
    {"label_map": [1]},
    {"on_conflict": ["keep_first"]},
]


@pytest.mark.postgres
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_what_nobody_means_well_by_is_refused_or_left_out(api, user, hostile):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2])
    good = {"sources": [{"dataset": a.pk, "annotation_data": single(a, "x").pk}, {"dataset": b.pk}]}
    for url, success in ((f"{URL}preview/", 200), (URL, 202)):
        body = json.dumps({"name": "made", **good, **hostile})
        answer = api.post(url, body, content_type="application/json")
        expected = (success,) if hostile is HOSTILE[0] else (400, 404)
        assert answer.status_code in expected, answer.content


def test_a_dataset_that_is_being_made_is_not_compared_yet(api, user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2])
    body = {"name": "both", "sources": [{"dataset": a.pk}, {"dataset": b.pk}]}
    made = post(api, body).json()["id"]
    answer = api.get(f"/api/v1/datasets/compare/?a={a.pk}&b={made}")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
