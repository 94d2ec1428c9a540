"""Every page of the admin: it opens, for whom it should, with few queries, and changes nothing by itself."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets.models import Dataset
from deepcap.accounts.models import AuditEvent, User
from deepcap.common.admin import HugeTableAdmin, LookOnlyAdmin, list_of, page_of

from .rows import fill_every_table

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LOOK_ONLY = [model for model in MODELS if isinstance(admin.site._registry[model], LookOnlyAdmin)]
HUGE = [model for model in MODELS if isinstance(admin.site._registry[model], HugeTableAdmin)]


def of(model) -> str:
    return model._meta.label


def url_of(model, view: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def test_only_people_and_groups_are_edited():
    assert [model for model in MODELS if model not in LOOK_ONLY] == [User, Group]


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_a_list_opens_with_queries_that_do_not_grow_with_rows(office, model):
    fill_every_table()
    few = queries(office, list_of(model))
    fill_every_table(4)
    many = queries(office, list_of(model))
    assert len(many) <= len(few), "\n".join(many)
    assert len(many) <= MOST_QUERIES, "\n".join(many)


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_a_page_opens_with_queries_that_do_not_grow_with_rows(office, model):
    fill_every_table()
    few = queries(office, page_of(model.objects.last()))
    fill_every_table(4)
    many = queries(office, page_of(model.objects.first()))
    assert len(many) <= len(few), "\n".join(many)
    assert len(many) <= MOST_QUERIES, "\n".join(many)


@pytest.mark.parametrize("model", HUGE, ids=of)
def test_a_huge_table_is_never_counted_as_a_whole(office, model):
    fill_every_table(2)
    table = f'FROM "{model._meta.db_table}"'
    for url in (list_of(model), list_of(model, _facets="True")):
        assert [sql for sql in queries(office, url) if sql.startswith("SELECT COUNT(") and table in sql] == []


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_a_search_opens(office, model):
    fill_every_table()
    for term in ("1", "chest", "datasets.dataset 1", "0" * 64, "' ; %", "१२"):
        assert office.get(list_of(model), {"q": term}).status_code == 200


@pytest.mark.parametrize("model", LOOK_ONLY, ids=of)
def test_nothing_is_changed_by_address_where_one_only_looks(office, model):
    fill_every_table()
    row = model.objects.first()
    before = model.objects.filter(pk=row.pk).values().get()
    assert office.post(page_of(row), {"name": "changed", "_save": "1"}).status_code == 403
    assert office.get(url_of(model, "delete", row.pk)).status_code == 403
    assert office.post(url_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    office.post(list_of(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.filter(pk=row.pk).values().get() == before
    if of(model) != "accounts.ServiceToken":  # whose "add" issues a key by the service
        assert office.post(url_of(model, "add"), {}).status_code == 403


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_the_history_of_a_row_is_the_audit_log(office, model):
    fill_every_table()
    row = model.objects.first()
    response = office.get(url_of(model, "history", row.pk))
    assert response.status_code == 302
    assert response.url.startswith(list_of(AuditEvent))
    assert office.get(response.url).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_staff_without_permissions_see_nothing(client, user, model):
    fill_every_table()
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    row = model.objects.exclude(pk=user.pk).first() if model is User else model.objects.first()
    for url in (list_of(model), page_of(row), url_of(model, "history", row.pk)):
        assert client.get(url).status_code == 403
    index = client.get(reverse("admin:index"))
    assert list_of(model) not in index.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=of)
def test_people_without_the_staff_flag_and_strangers_are_sent_to_sign_in(client, user, model):
    fill_every_table()
    urls = [reverse("admin:index"), list_of(model), page_of(model.objects.first())]
    for _signed_in in (False, True):
        for url in urls:
            response = client.get(url)
            assert response.status_code == 302
            assert response.url.startswith(reverse("admin:login"))
        client.force_login(user)


def test_staff_who_may_look_find_no_buttons_and_cannot_press_them(client, user):
    fill_every_table()
    look_at(user, Dataset)
    client.force_login(user)
    dataset = Dataset.objects.exclude(ingest=None).first()
    page = client.get(page_of(dataset))
    assert page.status_code == 200
    assert "/operate/" not in page.content.decode()
    assert 'name="_selected_action"' not in client.get(list_of(Dataset)).content.decode()
    assert client.post(url_of(Dataset, "operate", dataset.pk, "recount")).status_code == 403
    assert client.get(url_of(Dataset, "operate", dataset.pk, "delete")).status_code == 403


def test_an_operation_is_not_done_by_following_a_link(office):
    fill_every_table()
    dataset = Dataset.objects.exclude(ingest=None).first()
    assert office.get(url_of(Dataset, "operate", dataset.pk, "recount")).status_code == 405
    assert office.post(url_of(Dataset, "operate", dataset.pk, "no-such")).status_code == 404
    assert office.post(url_of(Dataset, "operate", 999_999, "recount")).status_code == 404


def test_the_relaxed_policy_of_the_admin_stays_in_the_admin(office):
    inside = office.get(list_of(Dataset)).headers["Content-Security-Policy"]
    outside = office.get("/healthz/live").headers["Content-Security-Policy"]
    assert "'unsafe-eval'" in inside
    assert "'unsafe-eval'" not in outside
    assert "'unsafe-inline'" not in outside
    for policy in (inside, outside):
        assert "default-src 'none'" in policy
        script_sources = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
        assert "'unsafe-inline'" not in script_sources


def queries(client, url: str) -> list[str]:
    """Return the statements it takes to open a page that has been opened before."""
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def look_at(user, *models) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    names = [f"view_{model._meta.model_name}" for model in models]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
