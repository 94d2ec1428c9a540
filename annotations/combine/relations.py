"""Values of ours as relations inside a statement, on both databases: an array each (PostgreSQL), or JSON (SQLite)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL


def among(column: str, ids: Collection[int]) -> tuple[str, list[Any]]:
    """Return the condition that ``column`` is one of ``ids``, and its parameters."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", [list(ids)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(ids))]  # noqa: S608 - our own names


def listed(ids: Collection[int]) -> RawSQL:
    """Return ``ids`` for an ``__in`` lookup, however many: a statement has room for some ten thousand parameters."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))])


def relation(name: str, columns: Mapping[str, str], rows: Collection[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return a relation called ``name`` for FROM, and its parameters; ``columns`` are names and PostgreSQL's types."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        values = [[row[place] for row in rows] for place in range(len(columns))]
        return f"unnest({arrays}) AS {name}({', '.join(columns)})", values
    select = ", ".join(f"json_extract(value, '$[{place}]') AS {column}" for place, column in enumerate(columns))
    return f"(SELECT {select} FROM json_each(%s)) AS {name}", [json.dumps([list(row) for row in rows])]  # noqa: S608
