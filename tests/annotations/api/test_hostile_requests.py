"""Requests that nobody means well by: refused in a sentence or answered with nothing, never with an error of ours."""

from __future__ import annotations

import io
import json

import pytest

from annotations.importing import work
from annotations.models import AnnotationType, LabelImport
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

QUERIES = [
    "label=%00",
    "label=%ED%A0%80",
    "problem=%00",
    "cursor=%00",
    "cursor=99.9999999999999999999",
    "ordering=%00",
    "chart=%00&coverage_of=%00",
    "start=%D9%A1&page=99999999999999999999",
]
FIELDS = [
    {"name": "a\x00b"},
    {"file_format": "\x00"},
    {"annotation_type": "x"},
    {"options": "[1]"},
    {"options": json.dumps({"columns": {"image": "\x00"}})},
    {"options": json.dumps({"columns": {"image": ["x"]}})},
    {"options": json.dumps({"columns": 7})},
    {"options": json.dumps({"encoding": "\x00"})},
    {"options": json.dumps({"encoding": "no-such-encoding"})},
    {"options": json.dumps({"encoding": ["utf-8"]})},
]
CONVERSIONS = [
    {"name": "\x00"},
    {"labels": ["\x00"]},
    {"merge": {"\x00": ["abnormal"]}},
    {"merge": {"x" * 500: ["abnormal"]}},
    {"merge": 7},
    {"merge": {"x": {"y": 1}}},
]


@pytest.fixture
def dataset(user):
    return make_dataset(user, studies=2)


@pytest.fixture
def data(dataset):
    return make_annotation_data(dataset, AnnotationType.DETECTION)


@pytest.mark.parametrize("query", QUERIES)
def test_queries_that_are_none(api, client, user, data, query):
    client.force_login(user)
    for answer in (
        api.get(f"/api/v1/annotation-data/{data.pk}/images/?{query}"),
        client.get(f"{data.get_absolute_url()}?{query}"),
    ):
        assert answer.status_code in (200, 400)


@pytest.mark.parametrize("fields", FIELDS)
def test_uploads_that_say_nonsense_of_themselves(api, dataset, fields, monkeypatch):
    monkeypatch.setattr("annotations.tasks.run_import.delay_on_commit", lambda *_: None)
    file = io.BytesIO(b"file,class\n0/0.png,b\n")
    file.name = "a\x00.csv"
    answer = api.post(f"/api/v1/datasets/{dataset.pk}/annotation-data/", {"file": file, **fields}, format="multipart")
    assert answer.status_code in (202, 400)
    for pk in list(LabelImport.objects.values_list("pk", flat=True)):
        work.run(pk)
        done = LabelImport.objects.get(pk=pk)
        assert done.state == "done"
        assert done.annotation_data.status in ("available", "import_failed")


@pytest.mark.parametrize("fields", CONVERSIONS)
def test_conversions_to_what_cannot_be(api, data, fields):
    body = {"annotation_type": AnnotationType.DETECTION, "name": "new", **fields}
    answer = api.post(f"/api/v1/annotation-data/{data.pk}/convert/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"]
