"""How much to do in one transaction: as much as takes a moment on this machine, under its load, now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 0.4
SMALL = 50  # rows: it is not worth while to divide them
SLOWER, FASTER = 0.5, 1.25
"""By how much the size of a piece changes at once, at most."""


class Pace:
    """``size`` is how many rows the next piece should have, so that it takes about ``seconds``; never above ``most``.

    It begins with ``most``, or with ``start``.
    """

    def __init__(self, most: int, *, start: int | None = None, least: int | None = None, seconds: float = SECONDS):
        self.most, self.seconds = most, seconds
        self.least = max(most // 40, min(most, SMALL)) if least is None else least
        self.size = most if start is None else max(self.least, min(start, most))

    @contextmanager
    def piece(self, rows: int) -> Iterator[None]:
        """Time the block, which deals with ``rows``, and learn from it. A block that raises teaches nothing."""
        begun = time.monotonic()
        yield
        self.learn(rows, time.monotonic() - begun)

    def learn(self, rows: int, taken: float) -> None:
        """``rows`` took ``taken`` seconds. A piece that was not full says nothing about larger ones."""
        change = max(SLOWER, min(FASTER, self.seconds / taken)) if taken > 0 else FASTER
        if change < 1 or rows * 2 > self.size:
            self.size = max(self.least, min(self.most, round(self.size * change) + (change > 1)))


class Breath:
    """Lets others have the database between two pieces of work: for a part of the time that the last piece took."""

    SHARE, LONGEST = 1.0, 1.0

    def __init__(self) -> None:
        self._begun: float | None = None

    def begin(self) -> None:
        """A piece begins."""
        self._begun = time.monotonic()

    def take(self) -> None:
        """Wait, unless no piece has begun since the last time. Call it where nothing is locked."""
        if self._begun is not None:
            time.sleep(min(self.LONGEST, self.SHARE * (time.monotonic() - self._begun)))
            self._begun = None
