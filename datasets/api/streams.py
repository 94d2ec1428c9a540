"""Bytes of the vault over HTTP: ranges (RFC 9110, section 14), validators (section 13), names (RFC 6266)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from datasets.blobs.store import get_store

SLICE = 256 * 1024
UNCHANGING = "private, max-age=31536000, immutable"
REVALIDATED = "private, no-cache"
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class WhateverIsAccepted(BaseContentNegotiation):
    """For endpoints that answer in one format: an ``Accept`` header that asks for an image is no reason to refuse."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def unchanged(request: HttpRequest | Request, etag: str, *, cache: str = UNCHANGING) -> HttpResponse | None:
    """Return 304 if the client has the bytes that ``etag`` stands for, otherwise None.

    ``cache`` is the Cache-Control of the whole answer: that of a 304 replaces what was kept (RFC 9111, 4.3.4).
    """
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    if "*" not in known and etag not in [tag.removeprefix("W/") for tag in known]:
        return None
    response = HttpResponseNotModified()
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache
    return response


def picture(data: bytes, *, content_type: str, etag: str) -> HttpResponse:
    """Answer with an image of ours, to be kept by the browser for as long as it likes."""
    headers = {"ETag": etag, "Cache-Control": UNCHANGING, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=content_type, headers=headers)


def stored_file(
    request: HttpRequest | Request,
    *,
    key: str,
    size: int,
    filename: str,
    content_type: str,
    etag: str,
    cache: str = UNCHANGING,
) -> HttpResponseBase:
    """Answer with an object of the vault, to be saved as ``filename``: 200, 206 for one range, 304 or 416.

    Several ranges at once are answered with the whole object, as RFC 9110 allows.
    """
    if response := unchanged(request, etag, cache=cache):
        return response
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": cache,
        "Content-Disposition": content_disposition_header(True, filename) or "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    wanted = _range_of(request, size=size, etag=etag)
    if wanted is None:
        start, end, status = 0, size, 200
    else:
        start, end = wanted
        if start >= end:
            return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    return StreamingHttpResponse(_slices(key, start, end), status=status, content_type=content_type, headers=headers)


def _range_of(request: HttpRequest | Request, *, size: int, etag: str) -> tuple[int, int] | None:
    """Return the one range asked for as (start, end), empty if it lies outside; None for the whole."""
    match = _RANGE.fullmatch(request.META.get("HTTP_RANGE", "").replace(" ", ""))
    condition = request.META.get("HTTP_IF_RANGE")
    if match is None or match[0] == "bytes=-" or (condition and condition != etag):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    if last and int(last) < int(first):
        return None  # not a range: to be ignored
    return int(first), min(int(last) + 1, size) if last else size


def _slices(key: str, start: int, end: int) -> Iterator[bytes]:
    with get_store().open(key, start, end) as stream:
        while data := stream.read(SLICE):
            yield data
