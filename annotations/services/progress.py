"""How far annotation data are that are still being made."""

from __future__ import annotations

from annotations.models import AnnotationData, AnnotationDataStatus, Derivation

from .imports import Progress
from .imports import progress_of as progress_of_import


def progress_of(annotation_data: AnnotationData) -> Progress:
    """Return how far an import is, in bytes, or a conversion, in images; what is settled is done.

    Annotation data come with their import and their derivation, as ``listings.annotation_data_of`` selects them.
    """
    derivation: Derivation | None = getattr(annotation_data, "derivation", None)
    if derivation is None or annotation_data.status != AnnotationDataStatus.IMPORTING:
        return progress_of_import(annotation_data)
    total = derivation.source.image_count if derivation.source else 0
    done = min(derivation.options.get("next", 0), total)
    return {"stage": "converting", "done": done, "total": total, "eta_seconds": None}
