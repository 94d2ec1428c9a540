"""What is counted of annotation data, by workers, in pieces, and stored: no page counts.

``counts`` keeps the numbers that stand on the rows themselves, ``report`` the numbers of the report (product.md 6.3),
``recount`` compares both with the rows. ``bins``, ``colors`` and ``advice`` are pure.
"""

from .colors import color_of
from .counts import count, count_of_dataset
from .labels import alphabetical, arrange_labels
from .recount import recount_all
from .report import recompute

__all__ = [
    "alphabetical",
    "arrange_labels",
    "color_of",
    "count",
    "count_of_dataset",
    "recompute",
    "recount_all",
]
