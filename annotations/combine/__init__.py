"""Datasets made of datasets, and what their sources said of the images in one annotation data. No pixel is copied.

``recipe`` is what was asked for; ``images`` and ``labels`` copy a piece in the database, ``rivals`` decides about
images of which two sources speak, by ``agreement``; ``work`` does it all under a lease, piece by piece, and
``endings`` end it. ``matching`` proposes which labels mean the same, ``preview`` says what would come of a recipe.
"""

from .recipe import Recipe, Source
from .work import due, run

__all__ = ["Recipe", "Source", "due", "run"]
