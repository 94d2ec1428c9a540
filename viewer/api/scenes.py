"""``studies/{id}/scene/``."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from viewer.scene.study import frame_of, scene_of

from .answers import known_already, packed_json
from .studies import study_or_404


class StudyScene(APIView):
    """Everything the viewer draws of a study but the pixels."""

    @extend_schema(exclude=True)
    def get(self, request: Request, pk: int) -> HttpResponse:
        frame = frame_of(study_or_404(request.user, pk), user=request.user)
        asked = request.query_params
        if response := known_already(request, frame.etag):
            return response
        scene = scene_of(
            frame,
            image=asked.get("image", ""),
            number=asked.get("frame", ""),
            annotation_data=asked.getlist("annotation_data"),
        )
        return packed_json(request, scene, etag=frame.etag)
