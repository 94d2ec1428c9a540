"""How a dataset, or a part of one, goes: its impact, hiding it, erasing rows and objects, the receipt."""

from .hide import hide, unhide
from .impact import impact
from .receipt import Receipt, receipt
from .work import due as due_deletions
from .work import run

__all__ = ["Receipt", "due_deletions", "hide", "impact", "receipt", "run", "unhide"]
