"""``uploads/``: files in parts, which can be resumed; the parts go to us or straight to S3."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import UnreadablePostError
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from datasets.errors import UploadRefused
from datasets.models import Dataset, Upload
from datasets.services.progress import with_progress
from datasets.services.uploads import abort_upload, complete_upload, list_parts, open_upload, part_url, receive_part

from .serializers import (
    DatasetSerializer,
    PartUrlSerializer,
    UploadCompletionSerializer,
    UploadSerializer,
    UploadStartSerializer,
)
from .streams import WhateverIsAccepted


class UploadViewSet(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet):
    queryset = Upload.objects.none()
    serializer_class = UploadSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Upload]:
        return Upload.objects.visible_to(self.request.user).select_related("dataset", "created_by")

    def get_object(self) -> Upload:
        return self._with_parts(super().get_object())

    @extend_schema(request=UploadStartSerializer, responses={201: UploadSerializer})
    def create(self, request: Request) -> Response:
        """Begin an upload in parts of `part_size` bytes, the last one shorter."""
        form = UploadStartSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data | {"name": form.validated_data.get("name") or None}
        upload = open_upload(owner=request.user, **wanted)
        return Response(self.get_serializer(self._with_parts(upload)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=UploadCompletionSerializer, responses={202: DatasetSerializer})
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: int) -> Response:
        """Put the file together and queue its dataset. May be repeated."""
        upload = super().get_object()
        form = UploadCompletionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        parts = [(part["number"], part["etag"]) for part in form.validated_data["parts"]]
        dataset = complete_upload(upload=upload, parts=parts)
        datasets = Dataset.objects.visible_to(request.user).with_is_new(request.user).select_related("owner")
        dataset = get_object_or_404(with_progress(datasets), pk=dataset.pk)
        return Response(DatasetSerializer(dataset, context=self.get_serializer_context()).data, status=202)

    def perform_destroy(self, upload: Upload) -> None:
        abort_upload(upload=upload, by=self.request.user)

    def _with_parts(self, upload: Upload) -> Upload:
        upload.received = list_parts(upload=upload)
        return upload


class UploadPartView(APIView):
    """One part. Its bytes are read from the request in slices and never held as a whole."""

    content_negotiation_class = WhateverIsAccepted
    reading_grants_writing = True  # by a signed address, which asks for no token any more

    @extend_schema(responses=PartUrlSerializer)
    def get(self, request: Request, pk: int, number: int) -> Response:
        """Tell where to PUT the part: here, or at S3."""
        upload = self._upload(pk)
        url = part_url(upload=upload, number=number)
        return Response({"url": url or reverse("api:upload-part", args=[pk, number], request=request)})

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={200: OpenApiResponse(description="Received; the ETag header names its content.")},
        parameters=[OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200])],
    )
    def put(self, request: Request, pk: int, number: int) -> Response:
        """Receive the part, where the storage is our own."""
        upload = self._upload(pk)
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length.isdecimal():
            raise UploadRefused(_("The Content-Length header is missing."), code="length_required", status=411)
        body = request._request  # the raw body: ``request.data`` would parse it
        try:
            part = receive_part(upload=upload, number=number, stream=body, size=int(length))
        except UnreadablePostError as error:
            raise UploadRefused(_("The connection broke off."), code="part_incomplete") from error
        return Response(
            {"number": part.number, "etag": part.etag, "size": part.size},
            headers={"ETag": f'"{part.etag}"', "Access-Control-Expose-Headers": "ETag"},
        )

    def _upload(self, pk: int) -> Upload:
        return get_object_or_404(Upload.objects.visible_to(self.request.user), pk=pk)
