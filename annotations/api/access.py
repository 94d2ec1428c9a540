"""Where every endpoint of annotation data begins: what the person may see."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from annotations.models import AnnotationData
from annotations.services.listings import annotation_data_of


def annotation_data_or_404(request: Request, pk: int) -> AnnotationData:
    """Return annotation data this person may see. Raises Http404, also for a stranger's."""
    return get_object_or_404(annotation_data_of(request.user), pk=pk)
