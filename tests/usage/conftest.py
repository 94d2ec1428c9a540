import pytest
from rest_framework.test import APIClient

from deepcap.accounts.services import issue_token


@pytest.fixture
def service_of(user):
    """Return a client that carries a token of ``user`` with these scopes."""

    def make(*scopes):
        return APIClient(headers={"Authorization": f"Token {issue_token(user=user, name='svc', scopes=scopes)}"})

    return make


@pytest.fixture
def stranger(other_user):
    client = APIClient()
    client.force_login(other_user)
    return client
