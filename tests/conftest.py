"""What every test may use: servers that are started when a test asks for one, a vault of its own, people."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import servers, shared
from tests.mortals import Mortals

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-postgres", action="store_true", help="run on a throw-away PostgreSQL instead of SQLite")
    parser.addoption("--require-services", action="store_true", help="fail, do not skip, where a server is missing")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Run all of it again as a child with DATABASE_URL set: the settings of this process have been loaded already."""
    if not config.getoption("on_postgres"):
        return None
    arguments = [argument for argument in config.invocation_params.args if argument != "--on-postgres"]
    try:
        with servers.postgres() as url:
            command = [sys.executable, "-m", "pytest", *arguments]
            return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode
    except servers.ServerMissing as missing:
        print(missing)
        return int(config.getoption("require_services"))


def pytest_unconfigure() -> None:
    """Remove the folder that the settings of the tests have made, and no other."""
    from django.conf import settings

    if settings.configured and settings.DATA_DIR.name.startswith("deepcap-test-"):
        shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs files that are not in the repository."""
    for item in items:
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if "shared_data" in getattr(item, "fixturenames", ()) or any(
            getattr(each, "is_wide", False) for each in values
        ):
            item.add_marker(pytest.mark.wide)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Send the tests over one S3 service to one worker, so that it is started once. (pytest-xdist's own ``loadgroup``
    renames tests for that, which pytest 9.2 does not see.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByService(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((service for service in ("swift", "radosgw") if f"[{service}" in nodeid), nodeid)

    return ByService(config, log) if config.getoption("dist") == "loadgroup" else None


@contextmanager
def skipping_without(request: pytest.FixtureRequest) -> Iterator[None]:
    """Skip the tests that need a server which is not installed; fail them under ``--require-services``."""
    try:
        yield
    except servers.ServerMissing as missing:
        if request.config.getoption("require_services"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def mortals() -> Iterator[Mortals]:
    """Workers that may be killed."""
    with Mortals() as mortals:
        yield mortals


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with skipping_without(request), servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with skipping_without(request), servers.redis() as url:
        yield url


@pytest.fixture(scope="session")
def swift(request: pytest.FixtureRequest) -> Iterator[servers.S3Endpoint]:
    with skipping_without(request), servers.swift() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def radosgw(request: pytest.FixtureRequest) -> Iterator[servers.S3Endpoint]:
    with skipping_without(request), servers.radosgw() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def _objects_of_this_test(settings) -> None:
    """Every test has a vault of its own: an empty folder that is created when something is written to it."""
    location = settings.DATA_DIR / "objects" / uuid.uuid4().hex
    vault = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(location)},
    }
    settings.STORAGES = {**settings.STORAGES, "default": vault, "vault": vault}


@pytest.fixture
def store(_objects_of_this_test):
    """The vault's store, empty."""
    from datasets.blobs.store import get_store

    return get_store()


@pytest.fixture
def user(django_user_model):
    return django_user_model.objects.create_user("ada", password="correct horse battery", first_name="Ada")


@pytest.fixture
def other_user(django_user_model):
    return django_user_model.objects.create_user("grace", password="correct horse battery")


@pytest.fixture
def operator(django_user_model):
    return django_user_model.objects.create_superuser("operator", password="correct horse battery")


@pytest.fixture
def api(user):
    """A client of the API, signed in as ``user``."""
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of a larger collection of real files, where there is one."""
    if not shared.FOLDER.is_dir():
        pytest.skip("the shared data are not here")
    return shared.FOLDER
