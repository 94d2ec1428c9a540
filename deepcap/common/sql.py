"""Set-based statements that the ORM has no words for, on both databases we run on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.db import connection, models


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
