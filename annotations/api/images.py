"""``annotation-data/{id}/images/``: what is said of each image, in display order; and of one image."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from annotations.models import AnnotatedImage, AnnotationData
from annotations.services.listings import (
    ORDERINGS,
    Cursor,
    ImageFilter,
    NoCursor,
    Ordering,
    annotations_of,
    count_of,
    images_of,
    page_of_images,
)
from deepcap.common.api import MAX_PAGE_SIZE
from deepcap.common.errors import DomainError

from .access import annotation_data_or_404
from .serializers import AnnotatedImageSerializer, AnnotationSerializer, annotation_as_json

PAGE_SIZE = 50


class ImageNotListed(DomainError):
    status = 404
    code = "image_not_listed"


class ImagePages(BasePagination):
    """Pages of listed images: as fast at the end of a million as at the start; a count where one is stored."""

    def paginate_queryset(
        self, queryset: QuerySet[AnnotatedImage], request: Request, view: Any = None
    ) -> list[AnnotatedImage]:
        self.request = request
        self.count = count_of(view.annotation_data, view.image_filter)
        self.page = page_of_images(queryset, size=_size(request), cursor=_cursor(request), ordering=_ordering(request))
        return list(self.page.rows)

    def get_paginated_response(self, data: Any) -> Response:
        body = {"next": self._link(self.page.next), "previous": self._link(self.page.previous), "results": data}
        return Response(body if self.count is None else {"count": self.count, **body})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        url = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"count": {"type": "integer"}, "next": url, "previous": url, "results": schema},
        }

    def _link(self, cursor: Cursor | None) -> str | None:
        return cursor and replace_query_param(self.request.build_absolute_uri(), "cursor", str(cursor))


@extend_schema(
    parameters=[
        OpenApiParameter("label", OpenApiTypes.STR, many=True, description="Images with any of these labels."),
        OpenApiParameter("problem", OpenApiTypes.STR, description="Images with this problem, a code of the advice."),
        OpenApiParameter("nothing", OpenApiTypes.BOOL, description="Images with nothing to label."),
        OpenApiParameter("ordering", OpenApiTypes.STR, enum=ORDERINGS, description="Default: position."),
        OpenApiParameter("cursor", OpenApiTypes.STR, description="Where the page begins, as in `next` and `previous`."),
        OpenApiParameter("page_size", OpenApiTypes.INT, description=f"Rows a page, at most {MAX_PAGE_SIZE}."),
    ]
)
class AnnotationDataImages(generics.ListAPIView):
    """The images that are listed, with what is said of them. Images that are not listed were not looked at."""

    queryset = AnnotatedImage.objects.none()
    serializer_class = AnnotatedImageSerializer
    pagination_class = ImagePages
    filter_backends = []

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.annotation_data: AnnotationData = annotation_data_or_404(request, kwargs["pk"])
        self.image_filter = _filter(request)
        rows = self.paginate_queryset(images_of(self.annotation_data, self.image_filter))
        by_row = annotations_of(rows)
        for row in rows:
            row.shown = [_json(annotation, row) for annotation in by_row.get(row.pk, ())]
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class AnnotationDataImage(APIView):
    @extend_schema(operation_id="annotation_data_image_retrieve", responses=AnnotationSerializer(many=True))
    def get(self, request: Request, pk: int, image_id: int) -> Response:
        """What is said of one image; an empty list says that there is nothing to label on it."""
        annotation_data = annotation_data_or_404(request, pk)
        row = images_of(annotation_data).select_related("image").filter(image=image_id).first()
        if row is None:
            raise ImageNotListed(_("These annotation data do not list this image."))
        return Response([_json(annotation, row) for annotation in annotations_of([row]).get(row.pk, ())])


def _json(annotation: Any, row: AnnotatedImage) -> dict[str, Any]:
    return annotation_as_json(annotation, annotation.label.name, width=row.image.width, height=row.image.height)


def _filter(request: Request) -> ImageFilter:
    query = request.query_params
    return ImageFilter(
        labels=tuple(query.getlist("label")),
        problem=query.get("problem", ""),
        nothing=query.get("nothing", "").lower() in ("1", "true"),
    )


def _size(request: Request) -> int:
    asked = request.query_params.get("page_size", "")
    return min(int(asked), MAX_PAGE_SIZE) if asked.isdecimal() and int(asked[:9]) > 0 else PAGE_SIZE


def _cursor(request: Request) -> Cursor | None:
    asked = request.query_params.get("cursor")
    try:
        return Cursor.parse(asked) if asked else None
    except NoCursor as error:
        raise ValidationError({"cursor": [_("This is not a cursor of this list.")]}) from error


def _ordering(request: Request) -> Ordering:
    asked = request.query_params.get("ordering", "position")
    if asked not in ORDERINGS:
        raise ValidationError({"ordering": [_("One of: %(names)s.") % {"names": ", ".join(ORDERINGS)}]})
    return asked
