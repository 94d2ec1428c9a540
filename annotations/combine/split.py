"""Studies divided into parts (training, validation, test) so that nobody is in two of them. Pure.

Studies of one patient, or with the same bytes, stay together; what is together is dealt out by iterative
stratification (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011): labels from the rarest on, each to the part that
still wants most of it.
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

    Raises ValueError unless there are at least two shares, all positive.
    """
    if len(shares) < 2 or not all(share > 0 for share in shares.values()):
        raise ValueError("At least two parts are needed, each with a positive share.")
    choice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    groups = together(items)
    choice.shuffle(groups)
    whole = sum(shares.values())
    room = {part: len(items) * share / whole for part, share in shares.items()}
    number = Counter(label for item in items for label in item.labels)
    wanted = {part: {label: number[label] * share / whole for label in number} for part, share in shares.items()}
    held = [Counter(label for item in group for label in item.labels) for group in groups]
    waiting: dict[str, list[int]] = defaultdict(list)
    for place, labels in enumerate(held):
        for label in labels:
            waiting[label].append(place)
    part_of: dict[int, str] = {}
    left = dict.fromkeys(range(len(groups)))
    for label in sorted(waiting, key=lambda name: (number[name], name)):
        for place in sorted((p for p in waiting[label] if p in left), key=lambda p: -len(groups[p])):
            part = max(shares, key=lambda name: (wanted[name][label], room[name]))
            _deal(groups[place], held[place], part=part, room=room, wanted=wanted)
            part_of.update((item.study, part) for item in groups[place])
            del left[place]
    for place in sorted(left, key=lambda p: -len(groups[p])):
        part = max(shares, key=lambda name: room[name])
        _deal(groups[place], held[place], part=part, room=room, wanted=wanted)
        part_of.update((item.study, part) for item in groups[place])
    return {part: [item.study for item in items if part_of[item.study] == part] for part in shares}


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


def _deal(
    group: Sequence[Item],
    labels: Mapping[str, int],
    *,
    part: str,
    room: dict[str, float],
    wanted: dict[str, dict[str, float]],
) -> None:
    room[part] -= len(group)
    for label, number in labels.items():
        wanted[part][label] -= number
