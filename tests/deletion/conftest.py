# ruff: noqa: DJ008 - nobody prints these rows
"""Models that a later room will hang under datasets, made up and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection, models

from datasets.models import Blob, Dataset, Image


def make_tables() -> SimpleNamespace:
    class Base(models.Model):
        class Meta:
            abstract = True
            app_label = "common"

    class Finding(Base):
        """As annotation data: belongs to a dataset, may come from a job."""

        dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")
        source = models.ForeignKey("Job", models.SET_NULL, null=True, related_name="+")

    class Mark(Base):
        """As annotations: hangs under findings and under images."""

        finding = models.ForeignKey(Finding, models.CASCADE, related_name="+")
        image = models.ForeignKey(Image, models.CASCADE, related_name="+")

    class Mask(Base):
        mark = models.OneToOneField(Mark, models.CASCADE, related_name="+")
        blob = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")

    class Training(Base):
        finding = models.ForeignKey(Finding, models.CASCADE, related_name="+")

    class Job(Base):
        """As inference jobs: runs a training's model on a dataset, the training's own or another."""

        training = models.ForeignKey(Training, models.CASCADE, related_name="+")
        dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")

    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "Base"})


@pytest.fixture(scope="module")
def later(django_db_setup, django_db_blocker) -> Iterator[SimpleNamespace]:
    tables = make_tables()
    with django_db_blocker.unblock():
        with connection.schema_editor() as schema:
            for table in vars(tables).values():
                schema.create_model(table)
        yield tables
        with connection.schema_editor() as schema:
            for table in (tables.Mask, tables.Mark, tables.Job, tables.Training, tables.Finding):
                if table is tables.Job:  # findings and jobs refer to each other
                    tables.Finding.objects.update(source=None)
                schema.delete_model(table)
    for table in vars(tables).values():
        del apps.all_models["common"][table._meta.model_name]
    apps.clear_cache()
