"""People, their keys and what was done."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from datasets.models import Blob
from deepcap.accounts.models import AuditEvent, ServiceToken, User
from deepcap.accounts.services import issue_token, record
from deepcap.common.admin import audit_log_of, list_of, page_of
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db

ADD_USER = "admin:accounts_user_add"
ISSUE = "admin:accounts_servicetoken_add"


def test_an_operator_makes_a_user_who_can_sign_in(office, operator, client):
    data = {"username": "marie", "password1": "radium 1898 x", "password2": "radium 1898 x", "usable_password": "true"}
    response = office.post(reverse(ADD_USER), data)
    marie = User.objects.get(username="marie")
    assert response.url == page_of(marie)
    assert not marie.is_staff
    assert client.login(username="marie", password="radium 1898 x")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target_id) == ("user.added", operator, str(marie.pk))


def test_the_quota_is_edited_and_it_is_logged(office, user):
    response = office.post(page_of(user), {**form_of(office, user), "storage_quota_bytes": "5000"})
    assert response.status_code == 302
    user.refresh_from_db()
    assert user.storage_quota_bytes == 5000
    event = AuditEvent.objects.get()
    assert (event.action, event.details) == ("user.changed", {"changed": ["Storage quota (bytes)"]})


def test_the_page_of_a_user_tells_what_counts_against_the_quota(office, user, settings):
    settings.DEEPCAP_DEFAULT_QUOTA_BYTES = 3 * 1024**2
    make_dataset(user, studies=1)
    Blob.objects.update(size=2 * 1024**2)
    page = office.get(page_of(user)).content.decode()
    assert "2 MB" in page
    assert "3 MB" in page


def test_a_password_is_reset_and_it_is_logged_without_the_password(office, operator, user, client):
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    data = {"password1": "a new one 77", "password2": "a new one 77", "usable_password": "true"}
    assert office.post(url, data).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a new one 77")
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("user.changed", operator)
    assert "a new one" not in str(event.details)


def test_a_user_is_never_deleted(office, user):
    assert office.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    office.post(list_of(User), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert User.objects.filter(pk=user.pk).exists()


@pytest.fixture
def clerk(client, user):
    """Somebody who may edit users, and is no operator."""
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "change_group"]))
    client.force_login(user)
    return client


def test_who_may_edit_users_cannot_make_an_operator_of_themselves(clerk, user):
    powers = {"is_superuser": "on", "user_permissions": [Permission.objects.first().pk]}
    clerk.post(page_of(user), {**form_of(clerk, user), **powers, "first_name": "Augusta"})
    user.refresh_from_db()
    assert user.first_name == "Augusta"
    assert not user.is_superuser
    assert user.user_permissions.count() == 3


def test_who_may_edit_users_cannot_take_over_an_operator(clerk, operator):
    assert clerk.post(page_of(operator), {"username": "mine"}).status_code == 403
    url = reverse("admin:auth_user_password_change", args=[operator.pk])
    assert clerk.post(url, {"password1": "mine now 12", "password2": "mine now 12"}).status_code == 403


def test_groups_are_edited_by_superusers_only(clerk, office):
    group = Group.objects.create(name="readers")
    data = {"name": "writers", "permissions": []}
    clerk.logout()
    clerk.force_login(User.objects.get(username="ada"))
    assert clerk.post(page_of(group), data).status_code == 403
    clerk.force_login(User.objects.get(username="operator"))
    assert clerk.post(page_of(group), data).status_code == 302
    assert AuditEvent.objects.get().action == "group.changed"


def test_a_key_is_shown_once_works_and_is_logged(office, operator, user, client):
    response = office.post(reverse(ISSUE), {"user": "ada", "name": "trainer", "days": "30"})
    key = response.context["key"]
    assert key in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    token = ServiceToken.objects.get()
    assert (token.user, token.name) == (user, "trainer")
    assert (token.expires_at - token.created_at).days in (29, 30)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.details) == ("token.issued", operator, {"user": "ada"})

    assert key not in office.get(page_of(token)).content.decode()
    assert key not in office.get(list_of(ServiceToken)).content.decode()
    office.logout()
    assert client.get("/api/v1/datasets/", headers={"authorization": f"Token {key}"}).status_code == 200


@pytest.mark.parametrize("data", [{}, {"user": "nobody", "name": "x"}, {"user": "ada", "name": ""}])
def test_a_key_is_not_issued_to_nobody_or_for_nothing(office, user, data):
    response = office.post(reverse(ISSUE), data)
    assert response.context["form"].errors
    assert not ServiceToken.objects.exists()


def test_a_revoked_key_does_not_work_any_more(operate, operator, user, client):
    key = issue_token(user=user, name="trainer")
    assert "does not work" in operate(ServiceToken.objects.get(), "revoke")
    client.logout()
    assert client.get("/api/v1/datasets/", headers={"authorization": f"Token {key}"}).status_code == 401
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor) == ("token.revoked", operator)


@pytest.mark.parametrize("term", ["{type} {id}", "{type}#{id}", "ada"])
def test_the_audit_log_is_searched_by_target_and_by_actor(office, operator, user, term):
    record(actor=user, action="user.greeted", target=user)
    record(actor=operator, action="user.greeted", target=operator)
    found = office.get(list_of(AuditEvent), {"q": term.format(type="accounts.user", id=user.pk)}).context["cl"]
    assert [event.target_id for event in found.result_list] == [str(user.pk)]


def test_the_audit_log_is_filtered_by_the_actions_there_are(office, user):
    for action in ("user.left", "user.came", "user.left"):
        record(actor=user, action=action, target=user)
    page = office.get(list_of(AuditEvent), {"action": "user.left"})
    assert [event.action for event in page.context["cl"].result_list] == ["user.left"] * 2
    (actions,) = page.context["cl"].filter_specs
    assert actions.lookup_choices == [("user.came", "user.came"), ("user.left", "user.left")]


def test_the_audit_log_of_a_row_that_is_gone_is_found(office, user):
    dataset = make_dataset(user)
    record(actor=user, action="dataset.edited", target=dataset)
    url = audit_log_of("datasets.dataset", dataset.pk)
    dataset.delete()
    assert [event.action for event in office.get(url).context["cl"].result_list] == ["dataset.edited"]


def form_of(client, user) -> dict[str, object]:
    """Return what a browser would send of the page of a user that nobody has touched."""
    form = client.get(page_of(user)).context["adminform"].form
    values: dict[str, object] = {}
    for name, field in form.fields.items():
        value = form.initial.get(name, field.initial)
        if name != "password" and value not in (None, False):
            values[name] = [getattr(one, "pk", one) for one in value] if isinstance(value, list) else value
    return values
