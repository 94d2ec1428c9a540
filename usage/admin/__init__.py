"""The operators' pages of this room."""

from . import evaluations, projects, work

__all__ = ["evaluations", "projects", "work"]
