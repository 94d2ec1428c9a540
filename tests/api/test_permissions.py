"""Who gets what from every address of the API: taken from the URLconf, so that a new one fails until it is listed."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from datasets.models import Deletion
from datasets.services.uploads import open_upload
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db

# name of the address -> method -> (body, what the owner is answered)
METHODS = {
    "dataset-list": {"get": (None, 200), "post": ({}, 415)},
    "dataset-detail": {
        "get": (None, 200),
        "patch": ({"description": "seen"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "dataset-keep": {"post": ({}, 409)},
    "dataset-cancel": {"post": ({}, 409)},
    "dataset-report": {"get": (None, 200)},
    "dataset-report-csv": {"get": (None, 200)},
    "dataset-studies": {"get": (None, 200)},
    "dataset-deletion-impact": {"get": (None, 200)},
    "upload-list": {"post": ({"filename": "a.zip", "size": 1}, 201)},
    "upload-detail": {"get": (None, 200), "delete": (None, 204)},
    "upload-complete": {"post": ({"parts": [{"number": 1, "etag": "x"}]}, 400)},
    "upload-part": {"get": (None, 200), "put": (None, 411)},
    "study-detail": {"get": (None, 200)},
    "study-images": {"get": (None, 200)},
    "image-detail": {"get": (None, 200)},
    "image-thumbnail": {"get": (None, 200), "head": (None, 200)},
    "image-file": {"get": (None, 200), "head": (None, 200)},
    "image-rendered": {"get": (None, 200), "head": (None, 200)},
    "image-tags": {"get": (None, 404)},
    "deletion-detail": {"get": (None, 200)},
    "deletion-restore": {"post": ({}, 409)},
    "schema": {"get": (None, 200)},
    "docs": {"get": (None, 200)},
}
OPEN_TO_ALL = {"schema", "docs"}
ABOUT_ONESELF = {"dataset-list", "upload-list"}  # a stranger is answered about what is theirs
NOT_AN_ENDPOINT = {"no-such-endpoint"}
CASES = [(name, method) for name, methods in METHODS.items() for method in methods]
CLOSED = [(name, method) for name, method in CASES if name not in OPEN_TO_ALL]
OF_SOMEBODY = [(name, method) for name, method in CLOSED if name not in ABOUT_ONESELF]


def endpoints():
    """Return (name, route, methods) of every address below /api/v1/."""
    [root] = [url for url in get_resolver().url_patterns if str(url.pattern) == "api/v1/"]

    def walk(resolver, prefix):
        for url in resolver.url_patterns:
            route = prefix + str(url.pattern)
            if isinstance(url, URLResolver):
                yield from walk(url, route)
            elif isinstance(url, URLPattern):
                yield url.name, f"/{route}", methods_of(url.callback)

    return [found for found in walk(root, "api/v1/") if found[0] not in NOT_AN_ENDPOINT]


def methods_of(view):
    if actions := getattr(view, "actions", None):
        return set(actions) - {"head", "options"}
    handlers = {"get", "post", "put", "patch", "delete"}
    return {method for method in handlers if hasattr(view.view_class, method)}


@pytest.fixture
def addresses(user):
    """Every address, filled in with things that belong to ``user``."""
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset)
    study = dataset.studies.get()
    image = study.images.get()
    upload = open_upload(owner=user, filename="b.zip", size=10)
    deletion = Deletion.objects.create(target_type="datasets.dataset", target_id=0, owner=user, requested_by=user)
    rows = {"dataset": dataset, "upload": upload, "study": study, "image": image, "deletion": deletion}
    addresses = {}
    for name, route, _methods in endpoints():
        row = rows.get(name.split("-")[0])
        addresses[name] = route.replace("<int:pk>", str(row.pk if row else "")).replace("<int:number>", "1")
    return addresses


def test_every_address_and_method_is_listed_here():
    found = {name: methods for name, _route, methods in endpoints()}
    assert found == {name: set(methods) - {"head"} for name, methods in METHODS.items()}


def test_every_address_of_the_api_is_named_once():
    names = [name for name, _route, _methods in endpoints()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "method"), CLOSED)
def test_somebody_who_is_not_signed_in_is_refused(anonymous, addresses, name, method):
    answer = getattr(anonymous, method)(addresses[name], METHODS[name][method][0], format="json")
    assert answer.status_code == 401
    if method != "head":
        assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(("name", "method"), OF_SOMEBODY)
def test_a_stranger_is_told_nothing(stranger, addresses, name, method):
    answer = getattr(stranger, method)(addresses[name], METHODS[name][method][0], format="json")
    assert answer.status_code == 404
    if method != "head":
        assert answer.json() == {"code": "not_found", "detail": "Not found."}


@pytest.mark.parametrize(("name", "method"), CASES)
@pytest.mark.parametrize("who", ["api", "service"])
def test_the_owner_is_answered(request, addresses, name, method, who):
    client, (body, status) = request.getfixturevalue(who), METHODS[name][method]
    assert getattr(client, method)(addresses[name], body, format="json").status_code == status


def test_lists_show_a_stranger_nothing_of_others(stranger, addresses):
    assert stranger.get(addresses["dataset-list"]).json()["results"] == []


def test_a_session_needs_a_csrf_token_to_change_anything(user, addresses):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    for name, method in CASES:
        if method not in ("get", "head"):
            body = METHODS[name][method][0]
            answer = getattr(client, method)(addresses[name], body, format="json")
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), (name, method)


def test_a_revoked_token_opens_nothing(service, user, addresses):
    from django.utils import timezone

    user.service_tokens.update(revoked_at=timezone.now())
    answer = service.get(addresses["dataset-list"])
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_an_operator_sees_everything(operator, anonymous, addresses):
    anonymous.force_login(operator)
    assert anonymous.get(addresses["dataset-detail"]).status_code == 200
    assert anonymous.get(addresses["image-file"]).status_code == 200
