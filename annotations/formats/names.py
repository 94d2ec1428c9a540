"""Names of the files that an export has for each image."""

from __future__ import annotations

from .base import folder, stem


class Names:
    """Gives each image a name in its folder; images that differ by extension alone keep it in theirs."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def of(self, path: str, suffix: str, below: str = "") -> str:
        """Return ``below/folder/stem`` with the suffix, never the same twice."""
        place = folder(path)
        prefix = "".join(f"{part}/" for part in (below, place) if part)
        candidates = [f"{prefix}{stem(path)}{suffix}", f"{below + '/' if below else ''}{path}{suffix}"]
        number = 1
        while hash(candidates[0].casefold()) in self._used:
            candidates.pop(0)
            if not candidates:
                number += 1
                candidates = [f"{prefix}{stem(path)}_{number}{suffix}"]
        self._used.add(hash(candidates[0].casefold()))
        return candidates[0]
