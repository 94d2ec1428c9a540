"""What is answered where no view answers: as JSON below ``/api/``, as a page elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class NoSuchEndpoint(APIView):
    """Every address of the API that is none."""

    permission_classes = [AllowAny]
    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is no such endpoint.")

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return JsonResponse({"code": "invalid", "detail": "The request cannot be understood."}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    if not _is_api(request):
        return defaults.server_error(request)
    return JsonResponse({"code": "server_error", "detail": "Something went wrong here; it was logged."}, status=500)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
