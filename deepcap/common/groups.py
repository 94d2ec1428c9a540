"""Groups among millions of numbers, without an object for each. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def torn(groups: Numbers, values: Numbers) -> Numbers:
    """Return the places, in two equally long arrays, of the groups that do not have one value throughout."""
    if not len(groups):
        return np.zeros(0, np.int64)
    order = np.argsort(groups, kind="stable")
    order = order[_repeated(groups[order])]  # most groups have one member, and there is nothing to compare
    if not len(order):
        return order
    by_group = groups[order]
    starts = np.flatnonzero(np.concatenate(([True], by_group[1:] != by_group[:-1])))
    lengths = np.diff(starts, append=len(order))
    by_group = values[order]
    lowest, highest = (edge.reduceat(by_group, starts) for edge in (np.minimum, np.maximum))
    return order[np.repeat(lowest != highest, lengths)]


def _repeated(by_group: Numbers) -> NDArray[np.bool_]:
    """Tell of each of some sorted numbers whether it is there more than once."""
    same = by_group[1:] == by_group[:-1]
    repeated = np.zeros(len(by_group), np.bool_)
    repeated[1:] = same
    repeated[:-1] |= same
    return repeated
