"""The stores that the same tests run against."""

import uuid

import environ
import pytest
from django.core.files.storage import storages

from datasets.blobs.store import get_store
from deepcap.settings.storage import vault_from

BUCKETS = [pytest.param("swift", marks=pytest.mark.s3), pytest.param("radosgw", marks=pytest.mark.s3)]


def set_vault(location, endpoint, settings, monkeypatch):
    """Set the vault by the variables that an operator would set."""
    monkeypatch.setenv("DEEPCAP_STORAGE", location)
    monkeypatch.setenv("AWS_S3_ENDPOINT_URL", endpoint.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret_key)
    settings.STORAGES = {**settings.STORAGES, "vault": vault_from(environ.Env(), settings.DATA_DIR)}
    return get_store()


def use_bucket(endpoint, settings, monkeypatch):
    """Set the vault to a new bucket of ``endpoint``."""
    bucket = f"test-{uuid.uuid4().hex[:12]}"
    store = set_vault(f"s3://{bucket}/some/prefix", endpoint, settings, monkeypatch)
    storages["vault"].connection.create_bucket(Bucket=bucket)
    return store


@pytest.fixture(params=["local", *BUCKETS])
def any_store(request, settings, monkeypatch, _objects_of_this_test):
    """A folder, and a bucket of every S3 service there is."""
    if request.param == "local":
        return get_store()
    return use_bucket(request.getfixturevalue(request.param), settings, monkeypatch)


@pytest.fixture(params=BUCKETS[:1])
def bucket_store(request, settings, monkeypatch, _objects_of_this_test):
    """A bucket of the S3 service that is always there."""
    return use_bucket(request.getfixturevalue(request.param), settings, monkeypatch)
