"""What hangs under a row, read from the foreign keys: counted in one statement, erased in short transactions.

A foreign key's ``on_delete`` says what becomes of the row that holds it when the row it points to goes:

- ``CASCADE``: it goes too, before it;
- ``SET_NULL``: it stays and points nowhere;
- ``PROTECT`` and ``RESTRICT``: it must have gone on its own account, otherwise nothing may be erased;
- ``DO_NOTHING``: none of our business.

Neither the ORM's collector nor its signals take part: both read every row. Nothing here knows any room, so a table that
a later room hangs under another is counted and erased without a line being changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models, transaction

from .chunks import in_chunks
from .pace import Pace
from .sql import by_index

ROWS_PER_TRANSACTION = 2_000  # at most, and fewer where they take long
IDS_PER_QUERY = 100_000

Table = type[models.Model]


class Protected(Exception):
    """Rows that may not be erased along hold on to rows that should be."""


@dataclass(frozen=True)
class Link:
    """The foreign key ``field`` of ``table``, which points to ``target``."""

    table: Table
    field: models.ForeignKey
    target: Table

    @property
    def points_into(self) -> str:
        """The lookup that selects the rows pointing to one of a list of targets."""
        return f"{self.field.attname}__in"


class Witness:
    """Is told of every batch of rows that is erased. Raising leaves the batch, and everything after it, as it is."""

    def before(self, table: Table, pks: list[Any]) -> None:
        """The rows go next. No transaction is open; after a failure the same rows may be announced again."""

    def going(self, table: Table, pks: list[Any]) -> None:
        """The transaction that erases the rows has begun; they are still there."""

    def gone(self, table: Table, count: int) -> None:
        """``count`` rows are erased, and the transaction is about to be committed."""


class Graph:
    """The tables whose rows can hang under a row of ``root``, and the foreign keys between them.

    ``tables`` lists them leaves first, ``root`` last. Raises ImproperlyConfigured for models whose erasure is not
    defined: tables that hang under each other, an ``on_delete`` other than those named above, inherited tables.
    """

    def __init__(self, root: Table) -> None:
        self.root = root
        self.cascading: dict[Table, list[Link]] = {}
        self.nulling: dict[Table, list[Link]] = {}
        self.protecting: dict[Table, list[Link]] = {}
        self._discover(root)
        self.tables = self._leaves_first()
        for links in self.cascading.values():
            links.sort(key=lambda link: self.tables.index(link.table))

    def _discover(self, table: Table) -> None:
        kinds = {
            models.CASCADE: self.cascading,
            models.SET_NULL: self.nulling,
            models.PROTECT: self.protecting,
            models.RESTRICT: self.protecting,
        }
        if table._meta.parents:
            raise ImproperlyConfigured(f"{table._meta.label} is spread over two tables by inheritance.")
        for by_target in (self.cascading, self.nulling, self.protecting):
            by_target[table] = []
        for link, on_delete in links_to(table):
            if on_delete is models.DO_NOTHING:
                continue
            if on_delete not in kinds:
                raise ImproperlyConfigured(f"{link.field}: rows cannot be erased by this on_delete.")
            kinds[on_delete][table].append(link)
        for link in self.cascading[table]:
            if link.table not in self.cascading:
                self._discover(link.table)

    def _leaves_first(self) -> list[Table]:
        order: TopologicalSorter[Table] = TopologicalSorter()
        for table in self.cascading:
            before = [*self.cascading[table], *self.protecting[table]]
            order.add(table, *(link.table for link in before if link.table in self.cascading and link.table != table))
        try:
            return list(order.static_order())
        except CycleError as error:
            names = ", ".join(sorted({table._meta.label for table in error.args[1]}))
            raise ImproperlyConfigured(f"These tables hang under each other: {names}.") from error


def links_to(table: Table) -> Iterator[tuple[Link, Any]]:
    """Yield every foreign key that points to ``table``, hidden ones and many-to-many tables included, and its
    ``on_delete``."""
    for relation in table._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        if relation.field.target_field != table._meta.pk:
            raise ImproperlyConfigured(f"{relation.field} does not point to a primary key.")
        yield Link(relation.related_model._meta.concrete_model, relation.field, table), relation.on_delete


# --- counting ---------------------------------------------------------------------------------------------------------


def count(root: models.Model, *, only: Iterable[Table] | None = None) -> dict[str, int]:
    """Return how many rows would go with ``root``, itself included, by model label; tables without any are left out.

    One statement, however many tables; ``only`` restricts it to the tables of interest.
    """
    graph = Graph(type(root))
    wanted = set(graph.tables if only is None else only)
    tables = [table for table in graph.tables if table in wanted]
    if not tables:
        return {}
    row = _select(graph, root, [_count_of(_name(graph, table)) for table in tables])
    return {table._meta.label: number for table, number in zip(tables, row, strict=True) if number}


def protected(root: models.Model) -> dict[str, int]:
    """Return the rows that forbid erasing ``root``: they point to what would go, and do not go themselves.

    By model label; empty when nothing stands in the way.
    """
    graph = Graph(type(root))
    links = [link for links in graph.protecting.values() for link in links]
    if not links:
        return {}
    held: dict[str, int] = {}
    row = _select(graph, root, [_count_of(_table(link.table), _holding(graph, link)) for link in links])
    for link, number in zip(links, row, strict=True):
        held[link.table._meta.label] = held.get(link.table._meta.label, 0) + number
    return {label: number for label, number in held.items() if number}


def _select(graph: Graph, root: models.Model, expressions: list[str]) -> tuple[int, ...]:
    """Evaluate ``expressions``, in which the rows of each table that hang under ``root`` are a relation of one column
    ``id``, called by :func:`_name`."""
    relations = [f"{_name(graph, table)}(id) AS ({_rows_under(graph, table)})" for table in reversed(graph.tables)]
    with connection.cursor() as cursor:
        key = root._meta.pk.get_db_prep_value(root.pk, connection)
        cursor.execute(f"WITH RECURSIVE {', '.join(relations)} SELECT {', '.join(expressions)}", [key])
        return cursor.fetchone()


def _rows_under(graph: Graph, table: Table) -> str:
    """Select the ids of the rows of ``table`` that hang under the root, whose key is the parameter.

    A UNION of one branch a foreign key: each can use that key's index, which an OR could not.
    """
    branches = [_ids_of(table, f"{_pk(table)} = %s")] if table is graph.root else []
    links = [link for target in graph.tables for link in graph.cascading[target] if link.table is table]
    branches += [_ids_of(table, _points_into(graph, link)) for link in links if link.target is not table]
    own = [f"{_column(link)} = {_name(graph, table)}.id" for link in links if link.target is table]
    if own:
        branches.append(_ids_of(table, " OR ".join(own), beside=f", {_name(graph, table)}"))
    return " UNION ".join(branches)


def _holding(graph: Graph, link: Link) -> str:
    """Say of rows that they hold on to what would go, through ``link``, and would not go themselves."""
    if link.table not in graph.tables:
        return _points_into(graph, link)
    return f"{_points_into(graph, link)} AND {_pk(link.table)} NOT IN (SELECT id FROM {_name(graph, link.table)})"  # noqa: S608


# Names come from our own models: nothing that anybody has typed gets into these statements but as a parameter.


def _ids_of(table: Table, condition: str, *, beside: str = "") -> str:
    return f"SELECT {_pk(table)} FROM {_table(table)}{beside} WHERE {condition}"  # noqa: S608


def _count_of(relation: str, condition: str = "") -> str:
    return f"(SELECT COUNT(*) FROM {relation}{' WHERE ' + condition if condition else ''})"  # noqa: S608


def _points_into(graph: Graph, link: Link) -> str:
    return f"{_column(link)} IN (SELECT id FROM {_name(graph, link.target)})"  # noqa: S608


def _name(graph: Graph, table: Table) -> str:
    return f"under_{graph.tables.index(table)}"


def _table(table: Table) -> str:
    return connection.ops.quote_name(table._meta.db_table)


def _pk(table: Table) -> str:
    return f"{_table(table)}.{connection.ops.quote_name(table._meta.pk.column)}"


def _column(link: Link) -> str:
    return f"{_table(link.table)}.{connection.ops.quote_name(link.field.column)}"


# --- erasing ----------------------------------------------------------------------------------------------------------


def erase(root: models.Model, *, witness: Witness) -> None:
    """Erase ``root`` and everything that hangs under it, leaves first.

    So many rows of a table as take a moment go in a transaction of their own, each with one statement a table, so that
    nobody waits for long; rows that point to each other within their table go together. A row goes after all that
    hangs under it: interrupted anywhere, calling it again does the rest, even if ``root`` itself has gone already.
    Raises Protected, and IntegrityError when rows were added while it ran: then, too, it can be called again.
    """
    _Erasure(Graph(type(root)), witness).erase(type(root), [root.pk])


class _Erasure:
    def __init__(self, graph: Graph, witness: Witness) -> None:
        self.graph, self.witness = graph, witness
        most = ROWS_PER_TRANSACTION
        self.paces = {table: Pace(most, start=most // 2) for table in graph.tables}

    def erase(self, table: Table, pks: list[Any]) -> None:
        for batch in self._batches(table, pks):
            rows = self._with_their_kind(table, batch)
            for link in self.graph.cascading[table]:
                if link.table is not table:
                    for found in _pointing(link, rows):
                        self.erase(link.table, found)
            self._erase_rows(table, rows)

    def _batches(self, table: Table, pks: list[Any]) -> Iterator[list[Any]]:
        start = 0
        while start < len(pks):
            batch = pks[start : start + self.paces[table].size]
            yield batch
            start += len(batch)

    def _with_their_kind(self, table: Table, pks: list[Any]) -> list[Any]:
        """Return ``pks`` and those that hang under them within the same table."""
        own = [link for link in self.graph.cascading[table] if link.table is table]
        rows, latest = dict.fromkeys(pks), pks
        while own and latest:
            found = [pk for link in own for page in _pointing(link, latest) for pk in page]
            latest = [pk for pk in dict.fromkeys(found) if pk not in rows]
            rows.update(dict.fromkeys(latest))
        return list(rows)

    def _erase_rows(self, table: Table, pks: list[Any]) -> None:
        self.witness.before(table, pks)
        with self.paces[table].piece(len(pks)), transaction.atomic(durable=True), by_index():
            self.witness.going(table, pks)
            erased = 0
            for batch in in_chunks(pks, ROWS_PER_TRANSACTION):
                self._let_go(table, batch)
                erased += table._base_manager.filter(pk__in=batch)._raw_delete(connection.alias)
            self.witness.gone(table, erased)

    def _let_go(self, table: Table, pks: list[Any]) -> None:
        for link in self.graph.nulling[table]:
            link.table._base_manager.filter(**{link.points_into: pks}).update(**{link.field.attname: None})
        for link in self.graph.protecting[table]:
            if link.table._base_manager.filter(**{link.points_into: pks}).exists():
                raise Protected(f"{link.field} still points to rows of {table._meta.label}.")


def _pointing(link: Link, pks: list[Any]) -> Iterator[list[Any]]:
    """Yield the ids of the rows that point to ``pks`` through ``link``, many at a time: reading them again for every
    batch would pass over what the batches before have erased, and get slower and slower."""
    for targets in in_chunks(pks, ROWS_PER_TRANSACTION):
        pointing = link.table._base_manager.filter(**{link.points_into: targets}).order_by("pk")
        found = list(pointing.values_list("pk", flat=True)[:IDS_PER_QUERY])
        while found:
            yield found
            if len(found) < IDS_PER_QUERY:
                break
            found = list(pointing.filter(pk__gt=found[-1]).values_list("pk", flat=True)[:IDS_PER_QUERY])
