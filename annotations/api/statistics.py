"""The stored numbers of annotation data, as JSON and as a table; nothing is counted while somebody waits."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.services.numbers import numbers_of, table_of
from datasets.api.streams import WhateverIsAccepted

from .access import annotation_data_or_404
from .reports import table
from .serializers import StatisticsSerializer


class AnnotationDataStatistics(APIView):
    @extend_schema(responses=StatisticsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Totals, label distribution, the distributions of the type, and advice."""
        return Response(numbers_of(annotation_data_or_404(request, pk)))


class AnnotationDataStatisticsCsv(APIView):
    """All distributions as one table."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        columns, rows = table_of(annotation_data)
        return table(columns, rows, filename=f"{annotation_data.name} statistics.csv")
