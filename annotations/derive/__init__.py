"""Annotation data made from annotation data: of another type, with labels merged, or with some of them.

``plan`` says what is possible and which label becomes which; ``statements`` copies a piece in the database; ``masks``
unites what has become one class; ``work`` does it all under a lease, piece by piece.
"""

from .plan import Plan, make_plan
from .work import due, run

__all__ = ["Plan", "due", "make_plan", "run"]
