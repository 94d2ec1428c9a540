"""The masks of an image over its thumbnail, as a picture that a browser keeps until they change."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse

from annotations.formats.masks import Mask
from annotations.models import AnnotatedImage, Annotation, Kind
from annotations.services.listings import images_of
from annotations.services.overlays import Colored, draw_masks
from datasets.api.streams import REVALIDATED, picture, unchanged
from datasets.console.access import ConsoleView

from .access import annotation_data_or_404
from .grid import MOST_DRAWN, is_shown


class AnnotationDataOverlay(ConsoleView):
    def get(self, request: HttpRequest, pk: int, image_id: int) -> HttpResponse:
        rows = images_of(annotation_data_or_404(request, pk)).filter(image=image_id).select_related("image")
        row = rows.first()
        if row is None:
            raise Http404
        masks = _masks(row)
        etag = f'"{hashlib.sha256(repr([(mask.pk, mask.label.color) for mask in masks]).encode()).hexdigest()[:32]}"'
        response = unchanged(request, etag) or picture(_draw(row, masks), content_type="image/png", etag=etag)
        response.headers["Cache-Control"] = REVALIDATED
        return response


def _masks(row: AnnotatedImage) -> list[Annotation]:
    found = Annotation.objects.filter(item=row, kind=Kind.MASK).select_related("label").defer("polygons")
    return [mask for mask in found.order_by("pk")[:MOST_DRAWN] if is_shown(mask, row)]


def _draw(row: AnnotatedImage, masks: list[Annotation]) -> bytes:
    width, height = row.image.width, row.image.height
    colored = [Colored(Mask(height, width, mask.counts or ""), mask.label.color) for mask in masks]
    return draw_masks(colored, width=width, height=height)
