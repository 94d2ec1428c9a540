"""A real browser against a real server in this process. Chromium comes from the system; nothing is fetched.

The server answers from its own threads; workers there are none: :func:`do_the_work` does in the test what they would.
A page that writes an error to the console, the browser's reports of policy violations included, fails its test.
"""

from __future__ import annotations

import os
import re
import shutil

import pytest
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, expect

from datasets.deletion import run as run_deletion
from datasets.management.commands.import_dataset import ingest_here
from datasets.models import Deletion, DeletionStage, Ingest, IngestStage
from datasets.services import uploads

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop in the thread of the tests
PATIENCE = 20_000  # milliseconds: machines that test are busy
LEFT_BEHIND = r"^htmx:(afterRequest|sendError|sendAbort)\b"  # what a page still waits for when it is left
expect.set_options(timeout=PATIENCE)

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(request: pytest.FixtureRequest) -> dict[str, object]:
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "There is no chromium on this machine."
        if request.config.getoption("require_services"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return {"executable_path": chromium, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    return {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture
def expected_faults() -> list[str]:
    """Patterns of console errors that the test provokes."""
    return []


@pytest.fixture
def page(page: Page, expected_faults):
    faults: list[str] = []

    def take(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", take)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(PATIENCE)
    yield page
    page.unroute_all(behavior="ignoreErrors")
    known = [*expected_faults, LEFT_BEHIND]
    assert [fault for fault in faults if not any(re.search(pattern, fault) for pattern in known)] == []


@pytest.fixture
def console(page: Page, live_server, user) -> Page:
    """A browser in which ``user`` is signed in, on the list of datasets."""
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/datasets/")
    return page


@pytest.fixture
def small_parts(monkeypatch) -> int:
    """Parts of 1 KB, so that small files have many."""
    monkeypatch.setattr(uploads, "SMALLEST_PART", 1024)
    return 1024


def do_the_work() -> None:
    """Ingest and erase all that waits, as workers would."""
    for ingest in Ingest.objects.exclude(stage=IngestStage.DONE).select_related("dataset"):
        ingest_here(ingest.dataset)
    for pk in Deletion.objects.filter(stage=DeletionStage.ROWS).values_list("pk", flat=True):
        while run_deletion(pk):
            pass
