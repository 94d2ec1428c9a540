"""What Pillow says about damaged files, as refusals."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import Rejected

# Pillow raises any of these for damaged files; it has no exception of its own for them.
_FAULTS = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError)


@contextmanager
def refusing(kind: str) -> Iterator[None]:
    """Turn Pillow's faults into Rejected (``image_corrupt``), and silence what it only warns about (broken EXIF)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except _FAULTS as fault:
            raise Rejected("image_corrupt", f"The {kind} data are truncated or corrupt.") from fault
