"""Set-based statements that the ORM has no words for, on both databases we run on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.constants import OnConflict
from django.utils import timezone

PLAIN = (str, int, float, bool, type(None))  # what drivers take as it is


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


def insert_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, ignore_conflicts: bool = False
) -> None:
    """Insert rows given as values by column attribute (``study_id``), all with the same ones; others take defaults.

    No instances are made, which is what ``bulk_create`` spends most of its time on; no keys come back. With
    ``ignore_conflicts`` rows that a unique constraint refuses are left out.
    """
    if not rows:
        return
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    given = [field for field in fields if field.attname in rows[0]]
    rest = [field for field in fields if field.attname not in rows[0]]
    defaults = tuple(field.get_db_prep_save(_default(field), connection) for field in rest)
    on_conflict = OnConflict.IGNORE if ignore_conflicts else None
    start = connection.ops.insert_statement(on_conflict=on_conflict)
    end = connection.ops.on_conflict_suffix_sql([], on_conflict, [], [])
    columns = ", ".join(connection.ops.quote_name(field.column) for field in (*given, *rest))
    places = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"{start} {connection.ops.quote_name(model._meta.db_table)} ({columns}) VALUES ({places}) {end}",
            [(*(_prepared(field, row[field.attname]) for field in given), *defaults) for row in rows],
        )


def update_rows(model: type[models.Model], rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Set columns of rows, given as primary key and values by column attribute, all with the same ones."""
    rows = list(rows)
    if not rows:
        return
    fields = [field for field in model._meta.local_concrete_fields if field.attname in rows[0][1]]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {assignments}"  # noqa: S608 - names come from our own models
            f" WHERE {quote(model._meta.pk.column)} = %s",
            [(*(_prepared(field, values[field.attname]) for field in fields), pk) for pk, values in rows],
        )


def _default(field: models.Field) -> Any:
    return timezone.now() if getattr(field, "auto_now_add", False) else field.get_default()


def _prepared(field: models.Field, value: Any) -> Any:
    """Return what the database driver is given for a value of a field."""
    if type(value) in PLAIN and not isinstance(field, models.JSONField):
        return value
    return field.get_db_prep_save(value, connection)
