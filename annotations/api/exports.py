"""``annotation-data/{id}/export/``: the labels in a format of one's choice, streamed."""

from __future__ import annotations

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from annotations.services.exports import export_annotation_data
from datasets.api.streams import WhateverIsAccepted

from .access import annotation_data_or_404, split_asked_for


class AnnotationDataExport(APIView):
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        parameters=[
            OpenApiParameter("file_format", OpenApiTypes.STR, description="Default: csv."),
            OpenApiParameter("include_images", OpenApiTypes.BOOL, description="The images too. Default: false."),
            OpenApiParameter("split", OpenApiTypes.INT, description="A saved split of these annotation data."),
            OpenApiParameter(
                "part", OpenApiTypes.STR, description="One of the split's parts. Default: all, each in a folder."
            ),
        ],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, (200, "application/json"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """The annotations as a file, or as a zip of files."""
        annotation_data = annotation_data_or_404(request, pk)
        made = export_annotation_data(
            annotation_data=annotation_data,
            split=split_asked_for(request, annotation_data),
            part=request.query_params.get("part") or None,
            by=request.user,
            file_format=request.query_params.get("file_format", "csv"),
            include_images=request.query_params.get("include_images", "").lower() in ("1", "true"),
        )
        return StreamingHttpResponse(
            made.chunks,
            content_type=made.content_type,
            headers={
                "Content-Disposition": content_disposition_header(True, made.filename) or "attachment",
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )
