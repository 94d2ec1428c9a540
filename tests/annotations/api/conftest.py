"""Clients of the API besides its owner's."""

import pytest
from rest_framework.test import APIClient

from deepcap.accounts.services import issue_token


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
def service(user):
    """A script that carries a token of ``user``."""
    return APIClient(headers={"Authorization": f"Token {issue_token(user=user, name='tests')}"})
