"""Which labels of several sources may mean the same: proposals for a person to accept or not. Pure.

Names are compared as they are, then without case, without spaces and punctuation that mean nothing, without English
plurals, and last by edit distance; a group says by which of these its least alike members were found. What may mean
something stays: "HER2+" is not "HER2-", "<5 mm" not ">5 mm", "1.5" not "15", "T1-2" not "T12".
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

WAYS = ("exact", "case", "punctuation", "plural", "similar")
LEAST_LENGTH = 5
"""Names shorter than this are not compared by edit distance: "mass" and "mask" are not the same."""
MOST_SLIPS = 2
MOST_COMPARED = 2_000
"""Of more names than these, none are compared by edit distance: the work grows with the square of their number."""
KEPT = 4_096
Groups = list[list[str]]
Homes = dict[str, set[int]]
_MEANING = frozenset("+<>=≤≥≠±~%°#&@!?*^|")
_HYPHENS = "-‐‑‒–—−"


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
    homes: Homes = defaultdict(set)
    for number, source in enumerate(sources):
        for name in source:
            homes[name].add(number)
    groups = [[name] for name in names]
    ways = {name: "exact" if len(homes[name]) > 1 else "none" for name in names}
    for way, key in (("case", _case), ("punctuation", _bare), ("plural", _singular)):
        groups = _join_same(groups, homes, ways, way, key)
    if len(names) <= MOST_COMPARED:
        groups = _join_alike(groups, homes, ways)
    return [Match(group[0], tuple(group), ways[group[0]]) for group in groups]


def safe_names(names: Sequence[str]) -> dict[str, str]:
    """Return which name of a match each of its names becomes if nobody looks: that of the first it surely equals.

    Names that differ in case, spaces, punctuation or by a plural are the same. One that is only spelt like another is
    not ("hypotension", "hypertension"): it keeps its name until a person says otherwise.
    """
    becomes: dict[str, str] = {}
    for name in names:
        same = (other for other in dict.fromkeys(becomes.values()) if _singular(other) == _singular(name))
        becomes[name] = next(same, name)
    return becomes


def distance(one: str, other: str, *, most: int | None = None) -> int:
    """Return the least number of letters to insert, delete or replace, or of neighbours to swap, between two names.

    (Optimal string alignment.) With ``most``, any number above it stands for all that are above it, and no more than
    the cells within ``most`` of the diagonal are looked at.
    """
    width = len(other)
    band = max(len(one), width) if most is None else most
    far = len(one) + width + 1
    before: list[int] = []
    above = [*range(min(band, width) + 1), *[far] * (width - band)]
    for i, a in enumerate(one, start=1):
        row = [i] + [far] * width
        for j in range(max(1, i - band), min(width, i + band) + 1):
            b = other[j - 1]
            cost = above[j - 1] if a == b else 1 + min(above[j], row[j - 1], above[j - 1])
            if a != b and i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row[j] = cost
        if most is not None and min(row) > most and min(above) >= most:
            return most + 1
        before, above = above, row
    return above[-1]


def _join_same(groups: Groups, homes: Homes, ways: dict[str, str], way: str, key: Callable[[str], str]) -> Groups:
    """Put groups together that have names with the same key."""
    joined: Groups = []
    places: dict[str, list[int]] = defaultdict(list)
    for group in groups:
        place = _put(group, joined, sorted({p for name in group for p in places[key(name)]}), homes, ways, way)
        for name in group:
            places[key(name)].append(place)
    return joined


def _join_alike(groups: Groups, homes: Homes, ways: dict[str, str]) -> Groups:
    """Put groups together that have names of nearly the same spelling, found by their length and their numbers."""
    joined: Groups = []
    places: dict[tuple[int, tuple[str, ...]], list[tuple[int, str]]] = defaultdict(list)
    for group in groups:
        near = {
            place
            for name in group
            for length in range(_shape(name).length - MOST_SLIPS, _shape(name).length + MOST_SLIPS + 1)
            for place, other in places.get((length, _shape(name).digits), ())
            if _alike(name, other)
        }
        place = _put(group, joined, sorted(near), homes, ways, "similar")
        for name in group:
            places[_shape(name).length, _shape(name).digits].append((place, name))
    return joined


def _put(group: list[str], joined: Groups, near: Iterable[int], homes: Homes, ways: dict[str, str], way: str) -> int:
    """Put a group to the first of those that no source of it has names in; return its place."""
    own = set().union(*(homes[name] for name in group))
    place = next((p for p in near if all(own.isdisjoint(homes[name]) for name in joined[p])), None)
    if place is None:
        joined.append(list(group))
        return len(joined) - 1
    joined[place].extend(group)
    ways[joined[place][0]] = way
    return place


@lru_cache(KEPT)
def _case(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


@lru_cache(KEPT)
def _bare(name: str) -> str:
    """Return a name without the characters between its letters and digits that mean nothing there."""
    text = _case(name)
    bare, at = "", 0
    while at < len(text):
        end = at
        while end < len(text) and not _is_of_a_word(text[end]):
            end += 1
        bare += _kept_between(text[at - 1 : at], text[at:end], text[end : end + 1])
        at = end
        while end < len(text) and _is_of_a_word(text[end]):
            end += 1
        bare += text[at:end]
        at = end
    return bare or text


def _is_of_a_word(character: str) -> bool:
    """Tell letters, digits and the marks above and below letters from everything else."""
    return unicodedata.category(character)[0] in "LNM"


def _kept_between(before: str, run: str, after: str) -> str:
    """Return what may mean something of the characters between two words: signs, and whatever parts two digits."""
    if not run:
        return ""
    marks = run.strip(" _\t")
    if before.isdigit() and after.isdigit():
        return "".join("-" if mark in _HYPHENS else mark for mark in marks) or " "
    if before and after and marks and all(mark in _HYPHENS for mark in marks) and _is_even(run, marks):
        return ""  # a hyphen or dash that joins two words; one at the end of a word, or before a number, is a sign
    return "".join("-" if mark in _HYPHENS else mark for mark in run if mark in _MEANING or mark in _HYPHENS)


def _is_even(run: str, marks: str) -> bool:
    """Tell whether there is a space on both sides of the marks, or on neither."""
    return (run[0] in marks) == (run[-1] in marks)


@lru_cache(KEPT)
def _singular(name: str) -> str:
    bare = _bare(name)
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("s", "")):
        stem = bare.removesuffix(ending) + instead
        if bare.endswith(ending) and len(stem) > 2 and not (ending == "s" and bare[-2] in "sui"):
            return stem
    return bare


def _alike(one: str, other: str) -> bool:
    """A slip of the pen: one change in names of five letters and more, two in those of ten; no digits, no signs."""
    first, second = _shape(one), _shape(other)
    shorter = min(first.length, second.length)
    most = 1 if shorter < 2 * LEAST_LENGTH else MOST_SLIPS
    if shorter < LEAST_LENGTH or abs(first.length - second.length) > most:
        return False
    if first.digits != second.digits or first.signs != second.signs:
        return False
    # A change makes at most two kinds of letters come or go: that tells most pairs apart before they are compared.
    if (first.letters ^ second.letters).bit_count() > 2 * most:
        return False
    return distance(first.bare, second.bare, most=most) <= most


class _Shape(NamedTuple):
    """A name's bare singular, its length, its numbers, the signs in it, and its letters as a set of bits."""

    bare: str
    length: int
    digits: tuple[str, ...]
    signs: str
    letters: int


@lru_cache(KEPT)
def _shape(name: str) -> _Shape:
    bare = _singular(name)
    letters = 0
    for letter in bare:
        letters |= 1 << (ord(letter) % 64)
    signs = "".join(character for character in bare if not _is_of_a_word(character))
    return _Shape(bare, len(bare), tuple(re.findall(r"\d+", bare)), signs, letters)
