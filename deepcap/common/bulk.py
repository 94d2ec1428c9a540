"""Many rows at once, past the ORM: building model instances costs more than both databases take to store the rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.db.models.constants import OnConflict
from django.utils import timezone

PLAIN = frozenset({str, int, float, bool, type(None)})  # what drivers take as it is


def insert_rows(
    model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Any]], *, ignore_conflicts: bool = False
) -> None:
    """Insert ``rows``, each the values of ``fields`` in their order; all of them or, when that raises, none.

    Fields are named as in a model's constructor (``study`` or ``study_id``, given keys); values are what the ORM would
    take. Other fields get their defaults, computed once for all rows. No keys come back. With ``ignore_conflicts`` rows
    that a unique constraint refuses are left out. Raises IntegrityError like any insert. One statement on SQLite, one
    COPY on PostgreSQL, which knows no conflicts: rows that may have some are sent one by one, in one go.
    """
    given = [model._meta.get_field(name) for name in fields]
    defaults = [(field, value) for field in _rest(model, given) if (value := _default(field)) is not None]
    constants = tuple(_prepared(field, value) for field, value in defaults)
    columns = ", ".join(
        connection.ops.quote_name(field.column) for field in (*given, *(field for field, _value in defaults))
    )
    values = (row + constants for row in _prepared_rows(given, rows)) if constants else _prepared_rows(given, rows)
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        if connection.vendor == "postgresql" and not ignore_conflicts:
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            on_conflict = OnConflict.IGNORE if ignore_conflicts else None
            start = connection.ops.insert_statement(on_conflict=on_conflict)
            end = connection.ops.on_conflict_suffix_sql([], on_conflict, [], [])
            places = ", ".join(["%s"] * (len(given) + len(defaults)))
            cursor.executemany(f"{start} {table} ({columns}) VALUES ({places}) {end}", values)


def update_rows(model: type[models.Model], rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Set columns of rows, given as primary key and values by field, all with the same ones."""
    rows = list(rows)
    if not rows:
        return
    names = list(rows[0][1])
    fields = [model._meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    values = _prepared_rows(fields, ([row[name] for name in names] for _pk, row in rows))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {assignments}"  # noqa: S608 - names come from our own models
            f" WHERE {quote(model._meta.pk.column)} = %s",
            [(*row, pk) for row, (pk, _row) in zip(values, rows, strict=True)],
        )


def _rest(model: type[models.Model], given: Sequence[models.Field]) -> Iterator[models.Field]:
    """Yield the fields that are left to their Python defaults; the database knows the others'."""
    for field in model._meta.local_concrete_fields:
        if field not in given and not field.primary_key and not field.has_db_default():
            yield field


def _default(field: models.Field) -> Any:
    now = getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False)
    return timezone.now() if now else field.get_default()


def _prepared_rows(fields: Sequence[models.Field], rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield what the database driver is given for rows of values."""
    documents = [(place, field) for place, field in enumerate(fields) if isinstance(field, models.JSONField)]
    for given in rows:
        row = given
        if documents:
            row = [*given]
            for place, field in documents:
                row[place] = _prepared(field, row[place])
        if not PLAIN.issuperset(map(type, row)):
            row = [_prepared(*pair) for pair in zip(fields, given, strict=True)]
        yield tuple(row)


def _prepared(field: models.Field, value: Any) -> Any:
    """Return what the database driver is given for a value of a field."""
    if isinstance(field, models.JSONField):  # as text, which COPY and both databases take
        return None if value is None else json.dumps(value, cls=field.encoder)
    return value if type(value) in PLAIN else field.get_db_prep_save(value, connection)
