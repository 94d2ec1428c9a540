"""The larger collection of real and hostile files, beside the repository or where DEEPCAP_SHARED_DATA says.

Tests that need it are marked ``wide``: ``make test-wide`` runs them, ``make test`` does without.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("DEEPCAP_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data")


def needs(path: str = "") -> pytest.MarkDecorator:
    """Return a mark that skips a test where the collection, or this part of it, is missing."""
    return pytest.mark.skipif(not (FOLDER / path).exists(), reason=f"the shared data are not here: {path or FOLDER}")
