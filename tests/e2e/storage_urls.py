"""The product's addresses, and below ``/storage/`` a store whose first signed link has expired when used."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from datasets.blobs.store import get_store
from deepcap.urls import *  # noqa: F403  the error handlers too
from deepcap.urls import urlpatterns as product

REFUSAL = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


def stored(request: HttpRequest, link: int, key: str) -> HttpResponseBase:
    """Answer as S3 does: 403 to an expired link, the object otherwise."""
    if link == 1:
        return HttpResponse(REFUSAL, status=403, content_type="application/xml")
    found = get_store().local_path(key)
    assert found is not None
    return FileResponse(found.open("rb"))


urlpatterns = [*product, path("storage/<int:link>/<path:key>", stored)]
