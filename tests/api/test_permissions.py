"""Who gets what from every address of the API: taken from the URLconf, so that a new one fails until it is listed."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from datasets.models import Deletion
from datasets.services.uploads import open_upload
from tests.annotations.builders import make_annotation_data, make_split
from tests.builders import make_dataset, make_ingest
from tests.usage.builders import make_inference, make_project, make_training, train
from usage.services.annotation_jobs import create_annotation_job

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
    "dataset-annotation-data": {"get": (None, 200), "post": ({}, 415)},
    "combine-datasets": {"post": ({}, 400)},
    "combine-preview": {"post": ({}, 400)},
    "annotation-data-detail": {
        "get": (None, 200),
        "patch": ({"name": "seen"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "annotation-data-keep": {"post": ({}, 409)},
    "annotation-data-file": {"put": ({}, 415)},
    "annotation-data-convert": {"post": ({}, 400)},
    "annotation-data-report": {"get": (None, 200)},
    "annotation-data-report-csv": {"get": (None, 200)},
    "annotation-data-statistics": {"get": (None, 200)},
    "annotation-data-statistics-csv": {"get": (None, 200)},
    "annotation-data-images": {"get": (None, 200)},
    "annotation-data-image": {"get": (None, 200)},
    "annotation-data-export": {"get": (None, 200)},
    "annotation-data-deletion-impact": {"get": (None, 200)},
    "annotation-data-splits": {"get": (None, 200), "post": ({}, 400)},
    "annotation-data-split-preview": {"post": ({"shares": {"all": 1}}, 400)},
    "annotation-data-split": {"get": (None, 200), "patch": ({"name": "seen"}, 200), "delete": (None, 204)},
    "annotation-data-split-studies": {"get": (None, 200)},
    "annotation-data-split-datasets": {"post": ({}, 202)},
    "compare-datasets": {"get": (None, 400)},
    "compare-studies": {"get": (None, 400)},
    "dataset-split": {"post": ({"shares": {"all": 1}}, 400)},
    "deletion-detail": {"get": (None, 200)},
    "deletion-restore": {"post": ({}, 409)},
    "annotation-project-list": {"get": (None, 200), "post": ({}, 400)},
    "annotation-project-detail": {
        "get": (None, 200),
        "patch": ({"name": "seen"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "annotation-project-claim": {"post": ({}, 200)},
    "annotation-project-heartbeat": {"post": ({"claim": "x"}, 409)},
    "annotation-project-results": {"get": (None, 404), "post": ({}, 400)},
    "annotation-project-annotation-data": {"post": ({}, 409)},
    "annotation-project-deletion-impact": {"get": (None, 200)},
    "annotation-job-list": {"get": (None, 200), "post": ({}, 400)},
    "annotation-job-detail": {
        "get": (None, 200),
        "patch": ({"status": "stopped"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "annotation-job-studies": {"get": (None, 200)},
    "annotation-job-deletion-impact": {"get": (None, 200)},
    "training-task-list": {"get": (None, 200), "post": ({"name": "without data"}, 400)},
    "training-task-detail": {
        "get": (None, 200),
        "patch": ({"name": "seen"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "training-task-claim": {"post": ({}, 204)},
    "training-task-heartbeat": {"post": ({"claim": "x"}, 409)},
    "training-task-metrics": {"get": (None, 200), "post": ({"metrics": []}, 409)},
    "training-task-model": {"get": (None, 200), "post": ({}, 400)},
    "training-task-deletion-impact": {"get": (None, 200)},
    "inference-job-list": {"get": (None, 200), "post": ({}, 400)},
    "inference-job-detail": {
        "get": (None, 200),
        "patch": ({"name": "seen"}, 200),
        "delete": ({"confirmation": "delete"}, 400),
    },
    "inference-job-claim": {"post": ({}, 200)},
    "inference-job-heartbeat": {"post": ({"claim": "x"}, 409)},
    "inference-job-predictions": {"get": (None, 404), "post": ({}, 400)},
    "inference-job-annotation-data": {"post": ({}, 409)},
    "inference-job-deletion-impact": {"get": (None, 200)},
    "inference-job-report": {"get": (None, 404)},
    "inference-job-report-csv": {"get": (None, 404)},
    "schema": {"get": (None, 200)},
    "docs": {"get": (None, 200)},
}
OPEN_TO_ALL = {"schema", "docs"}
ABOUT_ONESELF = {  # a stranger is answered about what is theirs
    "dataset-list",
    "upload-list",
    "combine-datasets",
    "combine-preview",
    "compare-datasets",
    "compare-studies",
    *(f"{record}-list" for record in ("annotation-project", "annotation-job", "training-task", "inference-job")),
    *(f"{record}-claim" for record in ("annotation-project", "training-task", "inference-job")),
}
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


def usage_of(dataset, annotation_data):
    """Return a record of each kind."""
    task = train(make_training(annotation_data))
    project = make_project(dataset)
    job = create_annotation_job(project=project, by=dataset.owner, assignee=dataset.owner, role="annotator")
    return {
        "annotation-project": project,
        "annotation-job": job,
        "training-task": task,
        "inference-job": make_inference(task, dataset),
    }


@pytest.fixture
def addresses(user):
    """Every address, filled in with things that belong to ``user``."""
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset)
    study = dataset.studies.get()
    image = study.images.get()
    upload = open_upload(owner=user, filename="b.zip", size=10)
    deletion = Deletion.objects.create(target_type="datasets.dataset", target_id=0, owner=user, requested_by=user)
    annotation_data = make_annotation_data(dataset)
    split = make_split(annotation_data, ["all"])
    rows = {
        "dataset": dataset,
        "annotation-data": annotation_data,
        **usage_of(dataset, annotation_data),
        "upload": upload,
        "study": study,
        "image": image,
        "deletion": deletion,
    }
    addresses = {}
    for name, route, _methods in endpoints():
        row = next((row for prefix, row in rows.items() if name.startswith(f"{prefix}-")), None)
        addresses[name] = (
            route.replace("<int:pk>", str(row.pk if row else ""))
            .replace("<int:number>", "1")
            .replace("<int:image_id>", str(image.pk))
            .replace("<int:split_id>", str(split.pk))
        )
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
