"""The OpenAPI document is valid, complete and readable in a browser; only pages of others get a relaxed policy."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def policy(answer):
    directives = (directive.split() for directive in answer.headers["Content-Security-Policy"].split(";"))
    return {name: set(values) for name, *values in directives}


def test_the_document_is_valid_and_made_without_a_warning(document, capsys):
    validate_schema(document)
    SchemaGenerator().get_schema(request=None, public=True)
    assert capsys.readouterr().err == ""


def test_the_document_is_served(anonymous):
    answer = anonymous.get("/api/v1/schema/", headers={"accept": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")


def test_the_document_describes_every_field_of_an_answer(document, api, user):
    body = api.get(f"/api/v1/datasets/{make_dataset(user, studies=1).pk}/").json()
    assert set(document["components"]["schemas"]["Dataset"]["properties"]) == set(body)
    progress = document["components"]["schemas"]["Dataset"]["properties"]["progress"]
    assert "Progress" in str(progress)


def test_every_operation_says_what_it_needs_and_does(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"], (path, method)
            if path not in ("/api/v1/schema/",):
                assert {"token": []} in operation["security"]
                assert {} not in operation["security"]


def test_the_documentation_runs_no_inline_script_and_loads_nothing_from_elsewhere(anonymous):
    answer = anonymous.get("/api/v1/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 4
    assert all(source.startswith(("/", "?")) and not source.startswith("//") for source in sources)
    assert "'unsafe-inline'" not in policy(answer)["script-src"]
    assert "'unsafe-inline'" in policy(answer)["style-src"]


def test_operators_pages_may_evaluate_and_no_others(api, operator, anonymous):
    anonymous.force_login(operator)
    relaxed = policy(anonymous.get("/admin/"))
    assert "'unsafe-eval'" in relaxed["script-src"]
    assert "'unsafe-inline'" not in relaxed["script-src"]
    for path in ("/accounts/login/", "/api/v1/datasets/", "/healthz/live"):
        strict = policy(anonymous.get(path))
        assert not {"'unsafe-eval'", "'unsafe-inline'"} & (strict["script-src"] | strict["style-src"])


def test_every_page_for_operators_is_still_theirs_alone(api):
    for path in ("/admin/", "/admin/accounts/user/"):
        assert api.get(path).status_code == 302
