"""What every endpoint shares: the shape of lists, of errors, and the translation of refusals."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination, PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.views import set_rollback

from .errors import DomainError

MAX_PAGE_SIZE = 500


class CountedPagination(PageNumberPagination):
    """Pages by number, with a count: for lists whose count is cheap."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE


class KeysetPagination(CursorPagination):
    """Pages by cursor, no count: as fast at the end of a million rows as at the start."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE
    ordering: Any = "pk"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every refusal as ``{"code", "detail"}``, with ``"fields"`` where single fields are at fault."""
    if isinstance(exc, DomainError):
        set_rollback()
        body: dict[str, Any] = {"code": exc.code, "detail": exc.message}
        if exc.fields:
            body["fields"] = exc.fields
        return Response(body, status=exc.status)
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        response.data = _validation_body(exc)
    elif isinstance(exc, Http404):
        response.data = {"code": "not_found", "detail": "Not found."}
    elif isinstance(exc, PermissionDenied):
        response.data = {"code": "permission_denied", "detail": str(exc) or "You may not do this."}
    elif isinstance(exc, exceptions.APIException):
        codes = exc.get_codes()
        response.data = {"code": codes if isinstance(codes, str) else exc.default_code, "detail": str(exc.detail)}
    return response


def _validation_body(exc: exceptions.ValidationError) -> dict[str, Any]:
    if not isinstance(exc.detail, dict):
        sentences = [str(item) for item in exc.detail]
        return {"code": "invalid", "detail": " ".join(sentences)}
    fields = {name: _sentences(value) for name, value in exc.detail.items()}
    detail = " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())
    return {"code": "invalid", "detail": detail, "fields": fields}


def _sentences(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {' '.join(_sentences(item))}" for key, item in value.items()]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
