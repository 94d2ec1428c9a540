"""How long transactions and phases take, noted in the process that does the work."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from .tables import nearest

STATEMENT_LENGTH = 160


class Longest(NamedTuple):
    seconds: float
    statement: str
    statement_seconds: float


class Transactions:
    """Notes how long every transaction took while the block lasts: it holds its locks, and its snapshot, that long.

    A transaction is an outermost ``atomic`` block, or a statement outside of one. ``phase`` names what is being done.
    """

    def __init__(self, phase: str = "") -> None:
        self.phase = phase
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.longest: dict[str, Longest] = {}
        self._enter, self._exit = transaction.Atomic.__enter__, transaction.Atomic.__exit__
        self._begun = 0.0
        self._slowest = ("", 0.0)

    def __enter__(self) -> Transactions:
        def enter(block: transaction.Atomic) -> None:
            if not connection.in_atomic_block:
                self._begin()
            self._enter(block)

        def leave(block: transaction.Atomic, *error: Any) -> None:
            self._exit(block, *error)
            if not connection.in_atomic_block:
                self._end()

        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = enter, leave
        connection.execute_wrappers.append(self._execute)
        return self

    def __exit__(self, *_: object) -> None:
        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = self._enter, self._exit
        connection.execute_wrappers.remove(self._execute)

    def summary(self, phase: str) -> dict[str, Any]:
        """Return number, p95 and longest of a phase's transactions, in seconds, and the longest one's statement."""
        seconds = self.seconds[phase] or [0.0]
        longest = self.longest.get(phase, Longest(0.0, "", 0.0))
        return {
            "transactions": len(seconds),
            "transaction_p95": nearest(seconds, 0.95),
            "transaction_longest": longest.seconds,
            "statement": longest.statement,
            "statement_seconds": longest.statement_seconds,
        }

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        alone = not connection.in_atomic_block
        if alone:
            self._begin()
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken = time.perf_counter() - start
            if taken > self._slowest[1]:
                self._slowest = (str(sql)[:STATEMENT_LENGTH], taken)
            if alone:
                self._end()

    def _begin(self) -> None:
        self._begun, self._slowest = time.perf_counter(), ("", 0.0)

    def _end(self) -> None:
        taken = time.perf_counter() - self._begun
        self.seconds[self.phase].append(taken)
        if taken > self.longest.get(self.phase, Longest(0.0, "", 0.0)).seconds:
            self.longest[self.phase] = Longest(taken, *self._slowest)


class Phases:
    """Adds up the time that functions take, by phase; ``transactions`` are told which phase it is."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, functions: dict[str, tuple[Any, str]]) -> Iterator[None]:
        """Time functions, given as (module, name) by the name of their phase, while the block lasts."""
        originals = {phase: getattr(module, name) for phase, (module, name) in functions.items()}
        for phase, (module, name) in functions.items():
            setattr(module, name, self._timed(phase, originals[phase]))
        try:
            yield
        finally:
            for phase, (module, name) in functions.items():
                setattr(module, name, originals[phase])

    def _timed(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **keywords: Any) -> Any:
            before, self.transactions.phase = self.transactions.phase, phase
            start = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                self.seconds[phase] += time.perf_counter() - start
                self.transactions.phase = before

        return timed
