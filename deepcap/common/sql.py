"""Set-based statements that the ORM has no words for, on both databases we run on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, models, transaction


def assign(model: type[models.Model], field: str, values: Sequence[tuple[int, int]]) -> None:
    """Set the integer ``field`` of many rows, given as (primary key, value), in one statement."""
    table = connection.ops.quote_name(model._meta.db_table)
    column = connection.ops.quote_name(model._meta.get_field(field).column)
    key = connection.ops.quote_name(model._meta.pk.column)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            keys, numbers = [list(side) for side in zip(*values, strict=True)] if values else ([], [])
            cursor.execute(
                f"UPDATE {table} SET {column} = given.value"  # noqa: S608 - names come from our own models
                f" FROM unnest(%s::bigint[], %s::bigint[]) AS given(pk, value) WHERE {table}.{key} = given.pk",
                [keys, numbers],
            )
        else:
            cursor.execute(
                f"UPDATE {table} SET {column} = given.value FROM"  # noqa: S608
                " (SELECT json_extract(value, '$[0]') AS pk, json_extract(value, '$[1]') AS value FROM json_each(%s))"
                f" AS given WHERE {table}.{key} = given.pk",
                [json.dumps(values)],
            )


def reserve_keys(model: type[models.Model], count: int) -> list[int]:
    """Return ``count`` primary keys, ascending, that no row has and no other row will be given.

    Call it in the transaction that inserts the rows under these keys: on SQLite it is this transaction that keeps
    others from being given the same.
    """
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), key, count],
            )
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = %s", [table])
        latest = cursor.fetchone()[0]
        return list(range(latest + 1, latest + 1 + count))


@contextmanager
def by_index() -> Iterator[None]:
    """Have the statements in the block look rows up one by one, through indexes, and never read whole tables.

    For statements about so many rows as are given: what PostgreSQL believes of tables that are growing or shrinking
    fast is out of date, and reading all of one for each thousand rows is far worse than any plan it gives up here. The
    setting ends with the transaction that this block is, or is part of.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(savepoint=False):
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
            )
        yield


def tell_planner(*tables: type[models.Model]) -> None:
    """Have PostgreSQL look at tables that have many new rows, before it plans what is to be done with them.

    Until autovacuum comes by it believes that a dataset it has not seen has one row, and reads all of it for each row
    of another. Somebody else's look at a table at the same moment is as good; SQLite plans by the schema.
    """
    if connection.vendor == "postgresql":
        names = ", ".join(connection.ops.quote_name(table._meta.db_table) for table in tables)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {names}")


def without_waiting_for_disk() -> None:
    """Let the transaction under way be committed before it is on disk (PostgreSQL).

    For work that is done again if a crash loses its last moments, and that touches nothing but this database: whatever
    is committed later, and waits, makes it durable first.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
