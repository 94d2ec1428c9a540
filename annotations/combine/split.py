"""Studies divided into parts (training, validation, test) so that nobody is in two of them. Pure.

Studies of one patient, or with the same bytes, stay together; what is together is dealt out by iterative
stratification (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011): labels from the rarest on, each to the part that
still wants most of it, among those that have room. Without the room, a hundred labels of one study each would all go
to the largest part.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A study; ``ties`` are what it may share with others: its patient, its blobs; its labels, each once."""

    study: int
    ties: frozenset[Hashable] = frozenset()
    labels: frozenset[str] = frozenset()


def split(items: Sequence[Item], *, shares: Mapping[str, float], seed: int) -> dict[str, list[int]]:
    """Return the studies of each part, in the order given. The same items, shares and seed give the same parts.

    No part differs from its share by more than the largest group of studies that have to stay together.
    Raises ValueError unless there are at least two shares, all positive.
    """
    if len(shares) < 2 or not all(share > 0 for share in shares.values()):
        raise ValueError("At least two parts are needed, each with a positive share.")
    choice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    groups = together(items)
    choice.shuffle(groups)
    held = [Counter(label for item in group for label in item.labels) for group in groups]
    number = Counter(label for item in items for label in item.labels)
    waiting: dict[str, list[int]] = defaultdict(list)
    for place, labels in enumerate(held):
        for label in labels:
            waiting[label].append(place)
    dealing = _Dealing(shares, size=len(items), number=number)
    part_of: dict[int, str] = {}
    left = dict.fromkeys(range(len(groups)))
    rarest_first: list[str | None] = [*sorted(waiting, key=lambda name: (number[name], name)), None]
    for label in rarest_first:
        places = list(left) if label is None else [place for place in waiting[label] if place in left]
        for place in sorted(places, key=lambda p: -len(groups[p])):
            part = dealing.deal(len(groups[place]), held[place], by=label)
            part_of.update((item.study, part) for item in groups[place])
            del left[place]
    parts: dict[str, list[int]] = {part: [] for part in shares}
    for item in items:
        parts[part_of[item.study]].append(item.study)
    return parts


class _Dealing:
    """How many studies, and how many of each label, every part has still to get."""

    def __init__(self, shares: Mapping[str, float], *, size: int, number: Mapping[str, int]) -> None:
        whole = sum(shares.values())
        self.room = {part: size * share / whole for part, share in shares.items()}
        self.wanted = {
            part: {label: count * share / whole for label, count in number.items()} for part, share in shares.items()
        }

    def deal(self, size: int, labels: Mapping[str, int], *, by: str | None) -> str:
        """Return the part that a group goes to: of those with room for half of it the one that wants ``by`` most."""
        roomy = [part for part, room in self.room.items() if room >= size / 2] or [
            max(self.room, key=self.room.__getitem__)
        ]
        part = max(roomy, key=lambda name: (self.wanted[name][by] if by else 0, self.room[name]))
        self.room[part] -= size
        for label, number in labels.items():
            self.wanted[part][label] -= number
        return part


def together(items: Iterable[Item]) -> list[list[Item]]:
    """Return the items in groups that share no tie, in the order of their first items."""
    parent: dict[int, int] = {}
    first: dict[Hashable, int] = {}

    def root(study: int) -> int:
        while parent[study] != study:
            parent[study] = parent[parent[study]]
            study = parent[study]
        return study

    items = list(items)
    for item in items:
        parent[item.study] = item.study
        for tie in item.ties:
            parent[root(first.setdefault(tie, item.study))] = root(item.study)
    groups: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        groups[root(item.study)].append(item)
    return list(groups.values())


def leaks(items: Iterable[Item], parts: Mapping[str, Iterable[int]]) -> set[Hashable]:
    """Return the ties that are in more than one of the parts, however these were made."""
    part_of = {study: part for part, studies in parts.items() for study in studies}
    seen: dict[Hashable, set[str]] = defaultdict(set)
    for item in items:
        for tie in item.ties:
            if item.study in part_of:
                seen[tie].add(part_of[item.study])
    return {tie for tie, found in seen.items() if len(found) > 1}
