"""Pages of rows that lie in display order: as fast at the end of a million as at the start, with a count."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination, _positive_int
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from deepcap.common.api import MAX_PAGE_SIZE

_CURSOR = re.compile(r"(-?)(\d{1,10})\.(\d{1,19})")


class PositionPagination(BasePagination):
    """Pages of a queryset ordered by (position, pk), read from the index on position.

    A cursor is the place of a row: ``12.345`` asks for what follows position 12, id 345; ``-12.345`` for what precedes
    it. ``count`` is the view's ``get_count()``, a stored number.
    """

    page_size = 50
    page_size_query_param = "page_size"
    cursor_query_param = "cursor"

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: Any = None) -> list[Any]:
        self.request, self.count = request, view.get_count()
        size = self._page_size(request)
        backwards, place = self._cursor(request)
        rows = queryset.order_by("-position", "-pk") if backwards else queryset.order_by("position", "pk")
        if place:
            position, pk = place
            # The first condition is implied by the second; it is there for the index.
            if backwards:
                rows = rows.filter(position__lte=position).filter(Q(position__lt=position) | Q(pk__lt=pk))
            else:
                rows = rows.filter(position__gte=position).filter(Q(position__gt=position) | Q(pk__gt=pk))
        found = list(rows[: size + 1])
        page, more = found[:size], len(found) > size
        if backwards:
            page.reverse()
        self.has_next, self.has_previous = (True, more) if backwards else (more, place is not None)
        self.page = page
        return page

    def get_paginated_response(self, data: Any) -> Response:
        body = {"count": self.count, "next": self._next(), "previous": self._previous(), "results": data}
        return Response(body)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        url = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {"count": {"type": "integer"}, "next": url, "previous": url, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("cursor", "string", "Where the page begins, as found in `next` and `previous`."),
            _parameter("page_size", "integer", f"Rows a page, at most {MAX_PAGE_SIZE}."),
        ]

    def _page_size(self, request: Request) -> int:
        try:
            return _positive_int(request.query_params["page_size"], strict=True, cutoff=MAX_PAGE_SIZE)
        except (KeyError, ValueError):
            return self.page_size

    def _cursor(self, request: Request) -> tuple[bool, tuple[int, int] | None]:
        encoded = request.query_params.get("cursor")
        if not encoded:
            return False, None
        match = _CURSOR.fullmatch(encoded)
        if match is None:
            raise ValidationError({"cursor": ["This is not a cursor of this list."]})
        return bool(match[1]), (int(match[2]), int(match[3]))

    def _next(self) -> str | None:
        return self._link("", self.page[-1]) if self.has_next and self.page else None

    def _previous(self) -> str | None:
        if not self.has_previous:
            return None
        # Past the last row there is nothing to point at: begin again.
        return self._link("-", self.page[0]) if self.page else remove_query_param(self._url(), "cursor")

    def _link(self, direction: str, row: Any) -> str:
        return replace_query_param(self._url(), "cursor", f"{direction}{row.position}.{row.pk}")

    def _url(self) -> str:
        return self.request.build_absolute_uri()


def _parameter(name: str, kind: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": {"type": kind}}
