"""``images/{id}/…``: frames to be windowed by the viewer, VOI LUTs, and the header as rows."""

from __future__ import annotations

import json

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from datasets.api.streams import UNCHANGING, WhateverIsAccepted, unchanged
from datasets.imaging import Samples
from datasets.imaging.dicom.syntaxes import EXPLICIT_LITTLE
from datasets.models import Image
from datasets.services.frames import frame_of
from datasets.services.renderings import tags_of, voi_luts_of
from viewer.scene.image import sample_layout

from .answers import known_already, packed_json

ONE_DAY = "private, max-age=86400"  # a decoder that was put right shows after that at the latest


class ImageFace(APIView):
    content_negotiation_class = WhateverIsAccepted

    def image(self) -> Image:
        """Return the image, if this person may see it. Raises Http404."""
        visible = Image.objects.visible_to(self.request.user).select_related("blob")
        return get_object_or_404(visible, pk=self.kwargs["pk"])


class ImageFrame(ImageFace):
    @extend_schema(exclude=True)
    def get(self, request: Request, pk: int, number: int) -> HttpResponse:
        """One frame (counted from 1): as stored, or as samples, which the header ``X-Samples`` then describes."""
        image = self.image()
        decode = request.query_params.get("decode") == "server"
        etag = f'"{image.blob.digest}-{settings.VERSION}-frame-{number}{"-decoded" if decode else ""}"'
        if response := unchanged(request, etag, cache=ONE_DAY):
            return response
        frame = frame_of(image=image, frame=number, decode=decode)
        headers = {"ETag": etag, "Cache-Control": UNCHANGING, "X-Content-Type-Options": "nosniff"}
        syntax = EXPLICIT_LITTLE
        if isinstance(frame, Samples):
            headers["Cache-Control"] = ONE_DAY
            layout = sample_layout(frame.type, frame.samples_per_pixel, frame.photometric_interpretation)
            headers["X-Samples"] = json.dumps(layout)
        else:
            syntax = frame.transfer_syntax
        return HttpResponse(
            frame.data, content_type=f"application/octet-stream; transfer-syntax={syntax}", headers=headers
        )

    def head(self, request: Request, pk: int, number: int) -> HttpResponse:
        return self.get(request, pk, number)


class ImageVoiLuts(ImageFace):
    @extend_schema(exclude=True)
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The file's usable VOI LUTs, the one that is shown first."""
        image = self.image()
        etag = f'W/"{image.blob.digest}-{settings.VERSION}-voi"'
        return known_already(request, etag) or packed_json(request, {"luts": voi_luts_of(image)}, etag=etag)


class ImageTagList(ImageFace):
    @extend_schema(exclude=True)
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The header as rows of a table, in tag order."""
        image = self.image()
        etag = f'W/"{image.blob.digest}-{settings.VERSION}-tags"'
        return known_already(request, etag) or packed_json(request, {"tags": tags_of(image)}, etag=etag)
