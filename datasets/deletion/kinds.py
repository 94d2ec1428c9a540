"""The names under which tables appear in impacts and receipts. They are kept for good, so they are not translated."""

from __future__ import annotations

from django.db import models
from django.utils import translation

from datasets import hooks

IMPACT_KEYS = (
    "studies",
    "images",
    "annotation_data",
    "annotations",
    "annotation_projects",
    "annotation_jobs",
    "training_tasks",
    "inference_jobs",
)


def key_of(table: type[models.Model]) -> str:
    """Return the name a room has given to the rows of ``table``, otherwise their plain plural: "ingest_batches"."""
    named = hooks.kinds.get(table._meta.label)
    if named:
        return named.key
    with translation.override(None):
        return str(table._meta.verbose_name_plural).replace(" ", "_")
