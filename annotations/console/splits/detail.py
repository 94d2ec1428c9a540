"""``/annotation-data/{id}/splits/{id}/``: what a split came to when it was saved."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from annotations.console.access import annotation_data_or_404
from annotations.models import AnnotationData, Split
from annotations.services.splits import splits_of
from datasets.console.access import ConsolePage

from .numbers import numbers_of


def split_or_404(request: HttpRequest, pk: int, split_id: int) -> tuple[AnnotationData, Split]:
    """Return annotation data this person may see, and one of their splits. Raises Http404."""
    annotation_data = annotation_data_or_404(request, pk)
    return annotation_data, get_object_or_404(splits_of(request.user, annotation_data), pk=split_id)


class SplitDetail(ConsolePage):
    template_name = "annotations/splits/detail.html"

    def get_context_data(self, pk: int, split_id: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data, split = split_or_404(self.request, pk, split_id)
        return {"annotation_data": annotation_data, "split": split, "numbers": numbers_of(split.report)}
