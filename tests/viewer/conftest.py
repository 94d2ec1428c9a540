"""Clients of the viewer besides the owner's ``api``."""

import pytest
from django.test import Client
from rest_framework.test import APIClient


@pytest.fixture
def anonymous():
    return APIClient()


@pytest.fixture
def stranger(other_user):
    """Somebody who is signed in and owns nothing."""
    client = APIClient()
    client.force_login(other_user)
    return client


@pytest.fixture
def browser(user):
    client = Client()
    client.force_login(user)
    return client
