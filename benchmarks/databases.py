"""The databases a benchmark is run on: SQLite in the data folder, and a throw-away PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import ServerMissing, postgres

DATABASES = ("SQLite", "PostgreSQL")


@contextmanager
def database(name: str) -> Iterator[str | None]:
    """Give the database's URL, None for the data folder's SQLite. Raises ServerMissing."""
    if name == "SQLite":
        yield None
    else:
        with postgres() as url:
            yield url


__all__ = ["DATABASES", "ServerMissing", "database"]
