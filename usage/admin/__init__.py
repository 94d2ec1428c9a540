"""The operators' pages of this room."""

from . import projects, work

__all__ = ["projects", "work"]
