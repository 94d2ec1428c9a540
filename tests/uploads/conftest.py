"""Uploads are tried over a folder and over every S3 service there is."""

import pytest

from datasets.services import uploads
from tests.blobs.conftest import any_store  # noqa: F401


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of 1 KB, so that small files have many; S3 itself wants 5 MB of all but the last."""
    monkeypatch.setattr(uploads, "SMALLEST_PART", 1024)
