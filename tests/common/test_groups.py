"""Groups of numbers, against the same found with dictionaries."""

import tracemalloc
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepcap.common.groups import torn

number = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)


@given(st.lists(st.tuples(number, number)))
def test_groups_with_several_values_are_found(pairs):
    values = defaultdict(set)
    for group, value in pairs:
        values[group].add(value)
    expected = {place for place, (group, _value) in enumerate(pairs) if len(values[group]) > 1}
    groups, of_each = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    found = torn(groups, of_each).tolist()
    assert set(found) == expected
    assert len(found) == len(expected)


def test_groups_of_one_take_little_memory():
    numbers = 200_000
    groups = np.random.default_rng(0).permutation(numbers)
    groups[:2_000] = groups[2_000:4_000]
    tracemalloc.start()
    try:
        found = torn(groups, np.arange(numbers))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == 4_000
    assert peak < 28 * numbers
