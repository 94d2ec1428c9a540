"""The operators' pages about annotation data: one noun a file."""

from . import annotation_data, annotations, combinations, imports, splits

__all__ = ["annotation_data", "annotations", "combinations", "imports", "splits"]
