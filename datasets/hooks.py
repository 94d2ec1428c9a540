"""What rooms above this one may add to its work, registered from their ``AppConfig.ready()``.

Deletion finds the tables of other rooms by itself, through their foreign keys. What keys cannot say is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Counting(Protocol):
    def __call__(self, *, dataset_id: int) -> int:
        """Return how many rows of the kind would go with the dataset, exactly, without reading them all."""


class LettingGo(Protocol):
    def __call__(self, pks: Sequence[int], *, deletion_id: int) -> None:
        """Called in the transaction that is about to erase these rows: order the removal of what only they know of."""


@dataclass(frozen=True)
class Kind:
    """A table whose rows are named to the person who is about to delete, and in the receipt."""

    key: str
    count: Counting | None = None


kinds: dict[str, Kind] = {}
letting_go: dict[str, LettingGo] = {}


def name_kind(model_label: str, *, key: str, count: Counting | None = None) -> None:
    """Rows of ``model_label`` ("annotations.Annotation") are listed under ``key`` in impacts and receipts.

    ``count`` is for tables too large to be counted while somebody waits.
    """
    kinds[model_label] = Kind(key, count)


def before_erasing(model_label: str, do: LettingGo) -> None:
    """``do`` is told of all rows of ``model_label`` before a deletion erases them."""
    letting_go[model_label] = do
