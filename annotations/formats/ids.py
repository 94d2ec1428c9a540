"""Numbers in use, kept as runs: a million consecutive ones take no room."""

from __future__ import annotations

from bisect import bisect_right


class Numbers:
    """A set of whole numbers."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []  # behind the last of each run

    def add(self, number: int) -> bool:
        """Add a number; False if it was there."""
        starts, ends = self._starts, self._ends
        place = bisect_right(starts, number)
        if place and number < ends[place - 1]:
            return False
        after_one = place > 0 and ends[place - 1] == number
        before_one = place < len(starts) and starts[place] == number + 1
        if after_one and before_one:
            ends[place - 1] = ends[place]
            del starts[place], ends[place]
        elif after_one:
            ends[place - 1] += 1
        elif before_one:
            starts[place] -= 1
        else:
            starts.insert(place, number)
            ends.insert(place, number + 1)
        return True

    def take(self, wanted: object = None) -> int:
        """Add and return the wanted number if it is a free one, else one above all others."""
        if isinstance(wanted, int) and not isinstance(wanted, bool) and self.add(wanted):
            return wanted
        number = max(self._ends[-1], 1) if self._ends else 1
        self.add(number)
        return number
