"""A deletion from the request to the receipt, with every transaction timed. Runs in ``child``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from datasets.deletion import run, work
from datasets.models import Blob, Dataset, Deletion, DeletionStage
from datasets.services.deletions import delete_dataset

from .rows import person
from .tables import nearest


def erase(name: str) -> dict[str, Any]:
    """Delete the dataset ``name`` of the person "many"; return rows, seconds, and how long transactions took."""
    dataset = Dataset.objects.get(owner=person("many"), name=name)
    images = dataset.image_count
    Blob.objects.filter(images__dataset=dataset).update(touched_at=timezone.now() - timedelta(days=30))
    with _Transactions() as transactions:
        rows = _Stopwatch(work, "erase", then=transactions.next_phase)
        requested = time.perf_counter()
        deletion = delete_dataset(dataset=dataset, by=dataset.owner, confirmation="DELETE")
        answered = time.perf_counter() - requested
        with rows:
            while run(deletion.pk):
                pass
        total = time.perf_counter() - requested
    deletion.refresh_from_db()
    if deletion.stage != DeletionStage.DONE or Deletion.objects.get(pk=deletion.pk).counts["images"] != images:
        raise RuntimeError(f"The deletion ended in stage {deletion.stage}: {deletion.counts}")
    return {
        "images": images,
        "rows": sum(deletion.counts.values()),
        "objects_removed": deletion.objects_removed,
        "request_seconds": answered,
        "row_seconds": rows.seconds,
        "seconds": total,
        **_summary("row", transactions.phases[0]),
        **_summary("vault", transactions.phases[-1]),
    }


def _summary(phase: str, seconds: list[float]) -> dict[str, float]:
    return {
        f"{phase}_transactions": len(seconds),
        f"{phase}_transaction_p95": nearest(seconds, 0.95),
        f"{phase}_transaction_longest": max(seconds),
    }


class _Stopwatch:
    """Adds up the time that a function of a module takes while the block lasts, and says when it is through."""

    def __init__(self, module: Any, name: str, *, then: Callable[[], None]) -> None:
        self.module, self.name, self.seconds, self.then = module, name, 0.0, then
        self._function = getattr(module, name)

    def __enter__(self) -> None:
        setattr(self.module, self.name, self._timed)

    def __exit__(self, *_: object) -> None:
        setattr(self.module, self.name, self._function)

    def _timed(self, *arguments: Any, **keywords: Any) -> Any:
        start = time.perf_counter()
        try:
            return self._function(*arguments, **keywords)
        finally:
            self.seconds += time.perf_counter() - start
            self.then()


class _Transactions:
    """Notes how long every outermost ``atomic`` block took while the block lasts: it holds its locks that long."""

    def __init__(self) -> None:
        self.phases: list[list[float]] = [[]]
        self._enter, self._exit = transaction.Atomic.__enter__, transaction.Atomic.__exit__
        self._begun = 0.0

    def __enter__(self) -> _Transactions:
        def enter(block: transaction.Atomic) -> None:
            if not connection.in_atomic_block:
                self._begun = time.perf_counter()
            self._enter(block)

        def leave(block: transaction.Atomic, *error: Any) -> None:
            self._exit(block, *error)
            if not connection.in_atomic_block:
                self.phases[-1].append(time.perf_counter() - self._begun)

        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = enter, leave
        return self

    def next_phase(self) -> None:
        self.phases.append([])

    def __exit__(self, *_: object) -> None:
        transaction.Atomic.__enter__, transaction.Atomic.__exit__ = self._enter, self._exit
