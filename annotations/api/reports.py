"""``annotation-data/{id}/report/`` and ``report.csv``: what was not used of the label file, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.views import APIView

from annotations.models import LabelProblem
from datasets.api.reports import csv_lines
from datasets.api.streams import WhateverIsAccepted
from deepcap.common.api import KeysetPagination

from .access import annotation_data_or_404
from .serializers import LabelProblemSerializer

COLUMNS = ("path", "row", "column", "code", "message", "near")
ROWS_AT_A_TIME = 2_000


class LabelProblemFilter(django_filters.FilterSet):
    code = django_filters.CharFilter(label="Stable code of the problem.")

    class Meta:
        model = LabelProblem
        fields: list[str] = []


class AnnotationDataReport(generics.ListAPIView):
    """One row for each row or object of the label file that was not used."""

    queryset = LabelProblem.objects.none()
    serializer_class = LabelProblemSerializer
    filterset_class = LabelProblemFilter
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[LabelProblem]:
        return problems_of(self.request, self.kwargs["pk"])


class AnnotationDataReportCsv(APIView):
    """The same rows as a table, streamed."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        rows = problems_of(request, pk).order_by("pk").values_list(*COLUMNS).iterator(chunk_size=ROWS_AT_A_TIME)
        return table(COLUMNS, _as_text(rows), filename="report.csv")


def problems_of(request: Request, annotation_data_id: int) -> QuerySet[LabelProblem]:
    """Select the problems of the file that the person may see. Raises Http404."""
    annotation_data = annotation_data_or_404(request, annotation_data_id)
    return LabelProblem.objects.filter(label_import__annotation_data=annotation_data)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]], *, filename: str) -> StreamingHttpResponse:
    """Answer with a table to be saved, line by line."""
    return StreamingHttpResponse(
        csv_lines(columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, filename) or "attachment",
            "Cache-Control": "private, no-store",
        },
    )


def _as_text(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[str]]:
    for path, row, column, code, message, near in rows:
        yield [path, "" if row is None else str(row), column, code, message, "; ".join(near)]
