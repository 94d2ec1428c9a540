"""An upload that is ingested within the test, the same stages in the same order as workers take them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from datasets.ingest import pipeline
from datasets.models import Dataset, Ingest
from datasets.services.uploads import upload_file
from tests.builders import zip_of

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def upload(owner, data: bytes, filename: str = "set.zip") -> Dataset:
    return upload_file(owner=owner, stream=io.BytesIO(data), filename=filename, size=len(data))


def work_on(dataset: Dataset, *, turns: int = 10_000) -> Dataset:
    """Take the stages that are waiting, at most ``turns`` of them."""
    pk = Ingest.objects.get(dataset=dataset).pk
    for _turn in range(turns):
        announcement = pipeline.waiting(pk)
        if announcement is None:
            break
        (pipeline.advance if announcement.advance else pipeline.read_next)(pk)
    dataset.refresh_from_db()
    return dataset


@pytest.fixture
def ingest(user, db):
    """``ingest(data or [(path, bytes)…], filename)`` returns the dataset after all stages."""

    def run(content, filename: str = "set.zip") -> Dataset:
        data = content if isinstance(content, bytes) else zip_of(content)
        return work_on(upload(user, data, filename))

    return run


@pytest.fixture(autouse=True)
def _messages_go_nowhere(monkeypatch):
    """The tests take the turns themselves."""
    for name in ("advance_ingest", "read_batch", "run_deletion"):
        monkeypatch.setattr(f"datasets.tasks.{name}.delay", lambda *_: None)
        monkeypatch.setattr(f"datasets.tasks.{name}.delay_on_commit", lambda *_: None)
