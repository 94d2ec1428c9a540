"""The operators' pages about annotation data: one noun a file."""

from . import annotation_data, annotations, imports

__all__ = ["annotation_data", "annotations", "imports"]
