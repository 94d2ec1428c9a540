"""What deletion needs does not grow with what is deleted."""

from __future__ import annotations

import math
import tracemalloc

import pytest
from django.apps import apps
from django.db import connection, models

from datasets.deletion.erase import erase
from datasets.models import Dataset, Deletion, Image, VaultCandidate
from datasets.services.deletions import delete_dataset
from deepcap.common import cascade

from .build import make_rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

CEILING = 6 * 1024**2


def test_the_rows_of_twenty_thousand_images_go_within_a_few_megabytes(user):
    dataset = make_rows(user, images=20_000, studies=10)
    deletion = Deletion.objects.claim(delete_dataset(dataset=dataset, by=user, confirmation="DELETE").pk)
    tracemalloc.start()
    try:
        erase(deletion, until=math.inf)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < CEILING
    assert not Image.objects.exists()
    deletion.refresh_from_db()
    assert (deletion.counts["images"], deletion.counts["studies"]) == (20_000, 10)
    assert VaultCandidate.objects.filter(deletion=deletion).count() == 20_000


def test_every_reference_to_what_can_be_erased_is_indexed():
    """Without, each erased row makes the database read the whole table that might refer to it."""
    erasable = set(cascade.Graph(Dataset).tables)
    unindexed = [
        str(field)
        for table in apps.get_models(include_auto_created=True)
        for field in table._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.related_model in erasable
        if field.column not in first_columns_of_indexes(table)
    ]
    assert unindexed == []


def first_columns_of_indexes(table: type[models.Model]) -> set[str]:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table._meta.db_table)
    indexed = [found for found in constraints.values() if found["index"] or found["unique"] or found["primary_key"]]
    return {found["columns"][0] for found in indexed if found["columns"]}
