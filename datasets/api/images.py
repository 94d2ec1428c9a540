"""``images/{id}/`` and its faces: thumbnail, stored file, rendered frame, tags."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.blobs.store import get_store
from datasets.models import Image
from datasets.models.image import ImageFormat
from datasets.services.renderings import header_of, render_image
from deepcap.common.errors import DomainError

from .serializers import ImageSerializer, RenderingSerializer
from .streams import WhateverIsAccepted, picture, stored_file, unchanged

CONTENT_TYPES = {
    ImageFormat.DICOM: "application/dicom",
    ImageFormat.JPEG: "image/jpeg",
    ImageFormat.PNG: "image/png",
}
SIGNED_FOR_SECONDS = 600
ONE_DAY = "private, max-age=86400"  # a renderer that was put right shows after that at the latest


class NoThumbnail(DomainError):
    status = 404
    code = "no_thumbnail"


class ImageDetail(generics.RetrieveAPIView):
    """One image."""

    queryset = Image.objects.none()
    serializer_class = ImageSerializer

    def get_queryset(self) -> QuerySet[Image]:
        return visible_images(self.request).select_related("series")


class ImageFace(APIView):
    """What an image looks like: an answer in one format, whatever the client says it accepts."""

    content_negotiation_class = WhateverIsAccepted

    def image(self) -> Image:
        return get_object_or_404(visible_images(self.request), pk=self.kwargs["pk"])


class ImageThumbnail(ImageFace):
    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """A JPEG whose longest side has at most 256 pixels."""
        blob = self.image().blob
        if not blob.has_thumbnail:
            raise NoThumbnail(_("This image has no thumbnail."))
        etag = f'"{blob.digest}-thumbnail"'
        if response := unchanged(request, etag):
            return response
        return picture(get_store().read(blob.thumbnail_key), content_type="image/jpeg", etag=etag)


class ImageFile(ImageFace):
    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="To a signed address of the storage."),
            416: OpenApiResponse(description="The range lies outside the file."),
        }
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """The stored bytes; `Range` and validators are honoured."""
        image = self.image()
        blob, filename, content_type = image.blob, PurePosixPath(image.path).name, CONTENT_TYPES[image.format]
        signed = request.method == "GET" and get_store().signed_url(
            blob.original_key, filename=filename, content_type=content_type, expires=SIGNED_FOR_SECONDS
        )
        if signed:
            return HttpResponseRedirect(signed, headers={"Cache-Control": "private, no-store"})
        return stored_file(
            request,
            key=blob.original_key,
            size=blob.size,
            filename=filename,
            content_type=content_type,
            etag=f'"{blob.digest}"',
        )

    def head(self, request: Request, pk: int) -> HttpResponseBase:
        return self.get(request, pk)


class ImageRendering(ImageFace):
    @extend_schema(parameters=[RenderingSerializer], responses={(200, "image/png"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """One frame as an 8-bit PNG at full size; the headers say which rule chose the grey values."""
        image = self.image()
        form = RenderingSerializer(data=request.query_params, context={"image": image})
        form.is_valid(raise_exception=True)
        frame, window = form.validated_data["frame"], form.window()
        etag = f'"{image.blob.digest}-{settings.VERSION}-{frame}-{window}"'.replace(" ", "")
        if response := unchanged(request, etag, cache=ONE_DAY):
            return response
        rendered = render_image(image=image, frame=frame, window=window)
        response = picture(rendered.png, content_type="image/png", etag=etag)
        response.headers["Cache-Control"] = ONE_DAY
        response.headers["X-Window-Rule"] = rendered.rule
        if rendered.window_center is not None:
            response.headers["X-Window-Center"] = str(rendered.window_center)
            response.headers["X-Window-Width"] = str(rendered.window_width)
        return response


class ImageTags(APIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, pk: int) -> Response:
        """The header of a DICOM image as DICOM JSON (PS3.18, annex F), pixel data left out."""
        return Response(header_of(get_object_or_404(visible_images(request), pk=pk)))


def visible_images(request: Request) -> QuerySet[Image]:
    return Image.objects.visible_to(request.user).select_related("blob")
