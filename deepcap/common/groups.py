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
    by_group = groups[order]
    starts = np.flatnonzero(np.concatenate(([True], by_group[1:] != by_group[:-1])))
    lengths = np.diff(starts, append=len(order))
    by_group = values[order]
    lowest, highest = (edge.reduceat(by_group, starts) for edge in (np.minimum, np.maximum))
    return order[np.repeat(lowest != highest, lengths)]
