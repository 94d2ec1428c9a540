"""Parts of a dataset: nobody in two of them, sizes and labels in proportion, the same for the same seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.combine.split import Item, leaks, split, together

SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
ties = st.frozensets(st.integers(0, 12), max_size=2)
labels = st.frozensets(st.sampled_from("abc"), max_size=2)
contents = st.lists(st.tuples(ties, labels), max_size=40)


def items_of(rows):
    return [Item(number, *row) for number, row in enumerate(rows)]


@given(contents, st.integers(0, 3))
def test_every_study_is_in_one_part_and_no_tie_in_two(rows, seed):
    items = items_of(rows)
    parts = split(items, shares=SHARES, seed=seed)
    assert sorted(study for studies in parts.values() for study in studies) == list(range(len(items)))
    assert leaks(items, parts) == set()
    assert split(items, shares=SHARES, seed=seed) == parts


@given(contents)
def test_what_shares_a_tie_is_together_and_nothing_else(rows):
    items = items_of(rows)
    groups = together(items)
    of_ties = [frozenset().union(*(item.ties for item in group)) for group in groups]
    assert sum(map(len, of_ties)) == len(frozenset().union(*of_ties))
    for group, found in zip(groups, of_ties, strict=True):
        assert len(group) == 1 or all(item.ties & found for item in group)


@given(contents, st.integers(0, 3))
def test_parts_are_as_large_as_asked_but_for_one_group(rows, seed):
    items = items_of(rows)
    parts = split(items, shares=SHARES, seed=seed)
    largest = max(map(len, together(items)), default=0)
    for part, studies in parts.items():
        assert abs(len(studies) - len(items) * SHARES[part]) <= largest


@given(st.lists(st.sampled_from("aaaab"), min_size=20, max_size=200), st.integers(0, 3))
def test_labels_are_in_proportion_where_studies_are_free(names, seed):
    items = [Item(number, labels=frozenset([name])) for number, name in enumerate(names)]
    parts = split(items, shares=SHARES, seed=seed)
    for label, number in Counter(names).items():
        for part, studies in parts.items():
            assert abs(sum(names[study] == label for study in studies) - number * SHARES[part]) < 1.5


@given(contents, st.integers(0, 3))
def test_labels_are_in_proportion_but_for_few_groups(rows, seed):
    items = items_of(rows)
    parts = split(items, shares=SHARES, seed=seed)
    largest = max(map(len, together(items)), default=0)
    has = {item.study: item.labels for item in items}
    for label, number in Counter(label for item in items for label in item.labels).items():
        for part, studies in parts.items():
            assert abs(sum(label in has[study] for study in studies) - number * SHARES[part]) <= 3 * largest


def test_rare_labels_do_not_fill_the_largest_part():
    """Each of a hundred labels would rather have its only study in the largest part."""
    items = [Item(number, labels=frozenset([f"label {number}"])) for number in range(100)]
    parts = split(items, shares=SHARES, seed=0)
    assert {part: len(studies) for part, studies in parts.items()} == {"train": 70, "validation": 15, "test": 15}


def test_seeds_make_a_difference_and_leaks_are_found():
    items = [Item(number) for number in range(50)]
    assert split(items, shares=SHARES, seed=1) != split(items, shares=SHARES, seed=2)
    tied = [Item(1, frozenset(["p"])), Item(2, frozenset(["p", "q"])), Item(3, frozenset(["q"]))]
    assert leaks(tied, {"train": [1, 2], "test": [3]}) == {"q"}


@pytest.mark.parametrize("shares", [{"all": 1.0}, {"a": 1.0, "b": 0.0}, {}])
def test_parts_need_shares(shares):
    with pytest.raises(ValueError, match="two parts"):
        split([], shares=shares, seed=0)
