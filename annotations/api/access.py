"""Where every endpoint of annotation data begins: what the person may see."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from annotations.models import AnnotationData, Split
from annotations.services.listings import annotation_data_of
from annotations.services.splits import splits_of


def annotation_data_or_404(request: Request, pk: int) -> AnnotationData:
    """Return annotation data this person may see. Raises Http404, also for a stranger's."""
    return get_object_or_404(annotation_data_of(request.user), pk=pk)


def split_or_404(request: Request, annotation_data: AnnotationData, pk: int) -> Split:
    """Return a split of annotation data. Raises Http404."""
    return get_object_or_404(splits_of(request.user, annotation_data), pk=pk)


def split_asked_for(request: Request, annotation_data: AnnotationData) -> Split | None:
    """Return the split that ``?split=`` names; None without one. Raises Http404."""
    asked = request.query_params.get("split", "")
    if not asked:
        return None
    if not (asked.isdecimal() and len(asked) < 19):
        raise Http404
    return split_or_404(request, annotation_data, int(asked))
