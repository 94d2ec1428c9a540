"""Statements the ORM has no words for."""

import pytest
from django.db import connection, transaction

from datasets.models import Blob
from deepcap.common.sql import by_index, reserve_keys, tell_planner

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def make_blob(number, **fields):
    return Blob.objects.create(digest=f"{number:064d}", stem=f"blobs/{number}", size=1, **fields)


def test_reserved_keys_are_given_to_nobody_else():
    first = make_blob(0)
    keys = reserve_keys(Blob, 3)
    assert len(set(keys)) == 3
    assert min(keys) > first.pk
    for number, key in enumerate(keys, start=1):
        make_blob(number, pk=key)
    latest = make_blob(4)
    assert latest.pk > max(keys)
    assert min(reserve_keys(Blob, 2)) > latest.pk


def test_plans_are_restricted_for_one_transaction_only():
    if connection.vendor != "postgresql":
        pytest.skip("settings of PostgreSQL")
    with pytest.raises(ZeroDivisionError), transaction.atomic(), by_index():
        assert seq_scans() == "off"
        raise ZeroDivisionError
    assert seq_scans() == "on"


def seq_scans():
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        return cursor.fetchone()[0]


def test_the_planner_is_told_how_many_rows_there_are():
    for number in range(30):
        make_blob(number)
    tell_planner(Blob)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Blob._meta.db_table])
            assert cursor.fetchone()[0] == 30
