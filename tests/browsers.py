"""Fixtures of the tests of pages: browsers without scripts, and one that speaks htmx."""

import pytest
from django.test import Client


@pytest.fixture
def anonymous():
    return Client()


@pytest.fixture
def stranger(other_user):
    """Somebody who is signed in and owns nothing."""
    client = Client()
    client.force_login(other_user)
    return client


@pytest.fixture
def client(user):
    """The owner's browser."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def htmx(user):
    """The owner's browser, asking for parts of pages."""
    client = Client(headers={"HX-Request": "true"})
    client.force_login(user)
    return client
