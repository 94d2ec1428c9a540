"""What pages of annotation data begin with, and where their pictures lead."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse

from annotations.models import AnnotatedImage, AnnotationData, AnnotationDataStatus
from annotations.services.listings import annotation_data_of


def annotation_data_or_404(request: HttpRequest, pk: int) -> AnnotationData:
    """Return annotation data this person may see. Raises Http404, also for a stranger's."""
    return get_object_or_404(annotation_data_of(request.user), pk=pk)


def is_under_way(annotation_data: AnnotationData) -> bool:
    """True while an import or a conversion is still changing it."""
    return annotation_data.status == AnnotationDataStatus.IMPORTING


def viewer_of(row: AnnotatedImage) -> str:
    """Return where a listed image is looked at with its annotations, or its study's page where there is no viewer."""
    try:
        viewer = reverse("viewer-study", args=[row.image.study_id])
    except NoReverseMatch:
        return f"{row.image.study.get_absolute_url()}?{urlencode({'image': row.image.position + 1})}"
    return f"{viewer}?{urlencode({'image': row.image_id, 'annotation_data': row.annotation_data_id})}"
