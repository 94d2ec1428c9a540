"""Whatever goes wrong, the API answers ``{"code", "detail"}``, with ``fields`` where single fields are at fault."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import RequestFactory

from deepcap import handlers
from deepcap.common import parsers
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


def shape(answer):
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert isinstance(body["detail"], str)
    assert body["detail"]
    return answer.status_code, body["code"], sorted(body)


@pytest.mark.parametrize("path", ["", "nothing/", "datasets/x/", "datasets/1/nothing/", "images/-1/"])
def test_an_address_that_is_none_is_not_found(api, anonymous, path):
    for client in (api, anonymous):
        assert shape(client.get(f"/api/v1/{path}")) == (404, "not_found", ["code", "detail"])
        assert shape(client.post(f"/api/v1/{path}", {}, format="json")) == (404, "not_found", ["code", "detail"])


def test_a_number_beyond_any_id_is_not_found(api):
    assert shape(api.get(f"/api/v1/datasets/{10**30}/"))[:2] == (404, "not_found")


def test_an_address_without_its_slash_leads_to_the_one_with(api):
    answer = api.get("/api/v1/datasets?search=x")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/v1/datasets/?search=x")


def test_a_method_that_is_not_there_is_named(api):
    assert shape(api.put("/api/v1/datasets/", {}, format="json")) == (405, "method_not_allowed", ["code", "detail"])


def test_json_that_is_none_is_told_so(api):
    answer = api.post("/api/v1/uploads/", "{", content_type="application/json")
    assert shape(answer) == (400, "parse_error", ["code", "detail"])


def test_json_that_is_nested_too_deeply_is_told_so(api):
    answer = api.post("/api/v1/uploads/", "[" * 100_000, content_type="application/json")
    assert shape(answer) == (400, "parse_error", ["code", "detail"])


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_too_large_for_memory_is_refused_before_it_is_parsed(api, user, content_type, monkeypatch):
    monkeypatch.setattr(parsers, "MOST_BYTES", 1000)
    url = f"/api/v1/datasets/{make_dataset(user).pk}/"
    answer = api.patch(url, " " * 1001, content_type=content_type)
    assert shape(answer) == (413, "body_too_large", ["code", "detail"])
    answer = api.patch(url, '{"name": "new"}' + " " * 900, content_type="application/json")
    assert answer.json()["name"] == "new"


@pytest.mark.parametrize("body", [[], "x", 1, None])
def test_json_of_another_shape_is_told_so(api, user, body):
    dataset = make_dataset(user)
    for method, path in [
        ("post", "uploads/"),
        ("patch", f"datasets/{dataset.pk}/"),
        ("delete", f"datasets/{dataset.pk}/"),
    ]:
        answer = getattr(api, method)(f"/api/v1/{path}", body, format="json")
        assert answer.status_code == (200 if body is None and method == "patch" else 400)
        assert "code" in answer.json() or answer.status_code == 200


def test_fields_at_fault_are_told_by_name(api):
    answer = api.post("/api/v1/uploads/", {"size": "many"}, format="json")
    assert shape(answer) == (400, "invalid", ["code", "detail", "fields"])
    assert answer.json()["fields"] == {
        "filename": ["This field is required."],
        "size": ["A valid integer is required."],
    }


def test_a_token_that_is_none_is_told_so(anonymous):
    answer = anonymous.get("/api/v1/datasets/", headers={"Authorization": "Token nonsense"})
    assert shape(answer) == (401, "authentication_failed", ["code", "detail"])
    assert answer.headers["WWW-Authenticate"] == "Token"


def test_our_own_fault_is_logged_and_told_without_details(api, user, monkeypatch):
    dataset = make_dataset(user)
    monkeypatch.setattr("datasets.api.deletions.impact", lambda _dataset: 1 // 0)
    api.raise_request_exception = False
    answer = api.get(f"/api/v1/datasets/{dataset.pk}/deletion-impact/")
    assert shape(answer) == (500, "server_error", ["code", "detail"])
    assert "division" not in answer.content.decode()


@pytest.mark.parametrize(("path", "content_type"), [("/api/v1/x/", "application/json"), ("/x/", "text/html")])
def test_a_request_that_is_refused_outright_is_answered_as_the_place_answers(path, content_type):
    answer = handlers.bad_request(RequestFactory().get(path), SuspiciousOperation())
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (400, content_type)
