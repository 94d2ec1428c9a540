"""What all answers of the viewer share: JSON that may be kept as long as it is asked about."""

from __future__ import annotations

import gzip
import json
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request

from datasets.api.streams import REVALIDATED

WORTH_PACKING = 1400  # bytes that travel in one piece anyway


def known_already(request: Request, etag: str) -> HttpResponse | None:
    """Return 304 if the browser has what ``etag`` (a weak one) stands for, otherwise None."""
    if etag not in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return None
    return HttpResponseNotModified(headers={"ETag": etag, "Cache-Control": REVALIDATED})


def packed_json(request: Request, document: dict[str, Any], *, etag: str) -> HttpResponse:
    """Answer with a document, compressed as fast as can be where the browser takes that."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"ETag": etag, "Cache-Control": REVALIDATED}
    if len(body) > WORTH_PACKING and "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    response = HttpResponse(body, content_type="application/json", headers=headers)
    patch_vary_headers(response, ["Accept-Encoding", "Cookie", "Authorization"])
    return response
