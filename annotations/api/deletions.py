"""``annotation-data/{id}/deletion-impact/``: what would go."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.services.deletions import annotation_data_impact

from .access import annotation_data_or_404
from .serializers import AnnotationDataDeletionImpactSerializer


class AnnotationDataDeletionImpact(APIView):
    @extend_schema(responses=AnnotationDataDeletionImpactSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Count what would go with the annotation data; nothing is changed."""
        return Response(annotation_data_impact(annotation_data_or_404(request, pk)))
