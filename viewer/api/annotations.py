"""``studies/{id}/annotations/?annotation_data=``: what one annotation data says about the images of a study."""

from __future__ import annotations

import hashlib
import json

from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from viewer.scene import overlays
from viewer.scene.study import is_number

from .answers import known_already, packed_json
from .studies import study_or_404


class StudyAnnotations(APIView):
    """With ``image`` (repeatable) only those images are told of."""

    @extend_schema(exclude=True)
    def get(self, request: Request, pk: int) -> HttpResponse:
        study = study_or_404(request.user, pk)
        asked = request.query_params.get("annotation_data", "")
        data = {str(each.pk): each for each in overlays.annotation_data_of(study, user=request.user)}.get(asked)
        if data is None:
            raise Http404
        images = [int(image) for image in request.query_params.getlist("image") if is_number(image)]
        document = {
            "annotation_data": overlays.describe(data, study=study),
            "images": overlays.annotations_of(study, data, images=images),
        }
        etag = f'W/"{hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]}"'
        return known_already(request, etag) or packed_json(request, document, etag=etag)
