"""Clients of the admin, and the messages a page shows."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse


@pytest.fixture
def office(client, operator):
    """A browser in which a superuser has signed in."""
    client.force_login(operator)
    return client


@pytest.fixture
def operate(office, django_capture_on_commit_callbacks):
    """Press the button of an operation on a row's page; return what the operator is then told."""

    def press(row, name: str, data: dict[str, str] | None = None) -> str:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_operate", args=[row.pk, name])
        with django_capture_on_commit_callbacks(execute=True):
            response = office.post(url, data or {})
        assert response.status_code in (200, 302), response
        return " ".join(str(message) for message in get_messages(response.wsgi_request))

    return press


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, tuple[int, ...]]]:
    """The messages that were sent to workers, as (task, arguments)."""
    from celery.app.task import Task

    messages: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(
        Task, "apply_async", lambda task, args=None, *_, **__: messages.append((task.__name__, tuple(args or ())))
    )
    return messages
