"""``inference-jobs/{id}/report/`` and ``report.csv``: how good predictions are, in all and image by image."""

from __future__ import annotations

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.api.reports import table
from datasets.api.streams import WhateverIsAccepted
from deepcap.common.leases import WorkState
from usage.models import Evaluation, InferenceJob
from usage.services.evaluations import evaluation_of, rows_of_report

STATES = [choice for choice in WorkState.choices if choice[0] != WorkState.CANCELLED]


class EvaluationSerializer(serializers.ModelSerializer):
    """`report` has `labels` (counts, precision, recall and more by label), `confusion`, `curves`, and means."""

    state = serializers.ChoiceField(STATES)
    report = serializers.DictField()

    class Meta:
        model = Evaluation
        fields = ["state", "problem", "image_count", "judged_count", "right_count", "report", "finished_at"]
        read_only_fields = fields


def evaluation_or_404(request: Request, pk: int) -> Evaluation:
    """Return the evaluation of a job this person may see. Raises Http404, also before there are predictions."""
    evaluation = evaluation_of(get_object_or_404(InferenceJob.objects.visible_to(request.user), pk=pk))
    if evaluation is None:
        raise Http404
    return evaluation


class InferenceReport(APIView):
    @extend_schema(responses=EvaluationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What DeepCap has measured of the predictions, or how far it is with that."""
        return Response(EvaluationSerializer(evaluation_or_404(request, pk)).data)


class InferenceReportCsv(APIView):
    """One row for each image: ground truth, prediction, confidence, outcome."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        columns, rows = rows_of_report(evaluation_or_404(request, pk).inference_job)
        return table(columns, rows, filename="report.csv")
