"""Which labels of several sources may mean the same: proposals for a person to accept or not. Pure.

Names are compared as they are, then without case, without spaces and punctuation, without English plurals, and last by
edit distance; a group says by which of these its least alike members were found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

WAYS = ("exact", "case", "punctuation", "plural", "similar")
LEAST_LENGTH = 5
"""Names shorter than this are not compared by edit distance: "mass" and "mask" are not the same."""
_APART = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Match:
    """``names`` in the order they were given in; ``label`` is the name proposed for all, the first of them."""

    label: str
    names: tuple[str, ...]
    way: str


def propose(sources: Sequence[Iterable[str]]) -> list[Match]:
    """Return every name of every source in exactly one match, in the order in which they first come.

    Names of one source are never put together, unless they are one as another source writes it: who made that source
    meant them to differ. A match of a single name that several sources have is "exact", of one source's own "none".
    """
    names = list(dict.fromkeys(name for source in sources for name in source))
    homes = {name: {number for number, source in enumerate(map(set, sources)) if name in source} for name in names}
    groups = [[name] for name in names]
    ways = {name: "exact" if len(homes[name]) > 1 else "none" for name in names}
    for way, key in (("case", _case), ("punctuation", _bare), ("plural", _singular)):
        groups = _join(groups, homes, ways, way, lambda one, other, key=key: key(one) == key(other))
    groups = _join(groups, homes, ways, "similar", _alike)
    return [Match(group[0], tuple(group), ways[group[0]]) for group in groups]


def distance(one: str, other: str) -> int:
    """Return the least number of letters to insert, delete or replace, or of neighbours to swap, between two names.

    (Optimal string alignment.)
    """
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]


def _join(
    groups: list[list[str]],
    homes: dict[str, set[int]],
    ways: dict[str, str],
    way: str,
    same: Callable[[str, str], bool],
) -> list[list[str]]:
    joined: list[list[str]] = []
    for group in groups:
        fitting = (
            other
            for other in joined
            if not any(homes[a] & homes[b] for a in other for b in group)
            and any(same(a, b) for a in other for b in group)
        )
        found = next(fitting, None)
        if found is None:
            joined.append(list(group))
        else:
            found.extend(group)
            ways[found[0]] = way
    return joined


def _case(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _bare(name: str) -> str:
    return _APART.sub("", _case(name)) or _case(name)


def _singular(name: str) -> str:
    bare = _bare(name)
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", "")):
        stem = bare.removesuffix(ending) + instead
        if bare.endswith(ending) and len(stem) > 2 and not (ending == "s" and bare[-2] in "sui"):
            return stem
    return bare


def _alike(one: str, other: str) -> bool:
    """A slip of the pen: one change in names of five letters and more, two in those of ten; digits do not slip."""
    first, second = _singular(one), _singular(other)
    shorter = min(len(first), len(second))
    if shorter < LEAST_LENGTH or re.findall(r"\d+", first) != re.findall(r"\d+", second):
        return False
    most = 1 if shorter < 2 * LEAST_LENGTH else 2
    return abs(len(first) - len(second)) <= most and distance(first, second) <= most
