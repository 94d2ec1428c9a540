"""Annotation data as files: one pass over the images in display order, in memory that does not grow with them."""

from .export import Export, export, formats_for

__all__ = ["Export", "export", "formats_for"]
