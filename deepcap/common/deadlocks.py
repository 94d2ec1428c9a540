"""Two transactions that wait for each other: PostgreSQL ends one of them, which is nobody's fault and worth a retry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection

ROUNDS = 3
SQLSTATES = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected: PostgreSQL, appendix A

Result = TypeVar("Result")


def again_after_deadlock(do: Callable[[], Result]) -> Result:
    """Return what ``do`` returns, called again when the database has ended its transaction for a deadlock.

    ``do`` is a transaction of its own and does nothing else. Inside of another transaction it is called once: a retry
    is for who began that. After ROUNDS times the OperationalError is raised.
    """
    for round_ in range(ROUNDS):
        try:
            return do()
        except OperationalError as error:
            if connection.in_atomic_block or not is_deadlock(error) or round_ == ROUNDS - 1:
                raise
    raise AssertionError("unreachable")


def is_deadlock(error: OperationalError) -> bool:
    """Tell whether a statement failed only because of what others did at the same time."""
    return getattr(error.__cause__, "sqlstate", None) in SQLSTATES
