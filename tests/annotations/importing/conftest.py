"""Uploads with labels, and labels on their own, read within the test as workers would."""

from __future__ import annotations

import io

import pytest

from annotations.importing import work
from annotations.models import AnnotationData, LabelImport
from annotations.services.imports import import_labels
from datasets.models import Dataset
from tests.builders import zip_of
from tests.ingest.conftest import upload, work_on


@pytest.fixture(autouse=True)
def _messages_go_nowhere(monkeypatch):
    """The tests take the turns themselves."""
    for name in ("datasets.tasks.advance_ingest", "datasets.tasks.read_batch", "datasets.tasks.run_deletion"):
        monkeypatch.setattr(f"{name}.delay", lambda *_: None)
        monkeypatch.setattr(f"{name}.delay_on_commit", lambda *_: None)
    monkeypatch.setattr("annotations.tasks.run_import.delay_on_commit", lambda *_: None)


@pytest.fixture
def ingest(user, db):
    """``ingest(data or [(path, bytes)…], filename)`` returns the dataset after all stages."""

    def run(content, filename: str = "set.zip") -> Dataset:
        data = content if isinstance(content, bytes) else zip_of(content)
        return work_on(upload(user, data, filename))

    return run


@pytest.fixture
def labelled(user):
    """``labelled(dataset, data, filename, …)`` imports a label file and returns its annotation data afterwards."""

    def run(dataset: Dataset, data: bytes, filename: str = "label.csv", **options) -> AnnotationData:
        made = import_labels(dataset=dataset, by=user, file=io.BytesIO(data), filename=filename, **options)
        run_all(dataset)
        made.refresh_from_db()
        return made

    return run


def run_all(dataset: Dataset) -> None:
    """Run the imports of a dataset that are waiting, and those that they find."""
    waiting = list(LabelImport.objects.filter(dataset=dataset, state="pending").values_list("pk", flat=True))
    while waiting:
        waiting += work.run(waiting.pop(0))
