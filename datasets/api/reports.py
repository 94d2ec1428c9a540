"""``datasets/{id}/report/`` and ``report.csv``: why files of an upload became no images."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import django_filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.models import Dataset, Outcome, Problem

from .serializers import ProblemSerializer
from .streams import WhateverIsAccepted

COLUMNS = ("path", "outcome", "code", "message")
ROWS_AT_A_TIME = 2_000


class ProblemFilter(django_filters.FilterSet):
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices)

    class Meta:
        model = Problem
        fields: list[str] = []


class DatasetReport(generics.ListAPIView):
    """One row for each file that was rejected or skipped."""

    queryset = Problem.objects.none()
    serializer_class = ProblemSerializer
    filterset_class = ProblemFilter

    def get_queryset(self) -> QuerySet[Problem]:
        return problems_of(self.request, self.kwargs["pk"])


class DatasetReportCsv(APIView):
    """The same rows as a table, streamed."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        rows = problems_of(request, pk).values_list(*COLUMNS).iterator(chunk_size=ROWS_AT_A_TIME)
        return StreamingHttpResponse(
            csv_lines(COLUMNS, rows),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": content_disposition_header(True, "report.csv") or "",
                "Cache-Control": "private, no-store",
            },
        )


def problems_of(request: Request, dataset_id: int) -> QuerySet[Problem]:
    """Select the problems of a dataset that the person may see, rejected files first. Raises Http404."""
    dataset = get_object_or_404(Dataset.objects.visible_to(request.user), pk=dataset_id)
    return Problem.objects.filter(dataset=dataset).order_by("outcome", "pk")


def csv_lines(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table (RFC 4180), none of whose cells a spreadsheet takes for a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([inert(cell) for cell in row])


def inert(cell: str) -> str:
    """Return ``cell``, behind an apostrophe if a spreadsheet would run it (OWASP, CSV injection)."""
    return f"'{cell}" if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


class _Echo:
    """A file that hands every line back to who writes it."""

    def write(self, line: str) -> str:
        return line
