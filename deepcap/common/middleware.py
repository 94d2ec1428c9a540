"""One place that turns a refusal into a page; the API has its own in ``common.api``."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .errors import DomainError


class DomainErrorMiddleware:
    """Shows a ``DomainError`` raised by a console view: a fragment to htmx, a page otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        template = "includes/error.html" if getattr(request, "htmx", False) else "refusal.html"
        return render(request, template, {"error": exception}, status=exception.status)
