"""Bodies held in memory as a whole, of a size that a server can bear. Files go to disk: `deepcap.uploading`."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

from rest_framework import parsers
from rest_framework.exceptions import APIException, ParseError

MOST_BYTES = 32 * 1024**2
"""A split that names half a million studies by their ids takes 5 MiB."""


class BodyTooLarge(APIException):
    """The body is larger than anything that is asked for in one."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = f"The request is larger than {MOST_BYTES // 1024**2} MiB."


class JSONParser(parsers.JSONParser):
    """Parses JSON of at most ``MOST_BYTES``; what is nested too deeply is no sound JSON either."""

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(_bounded(stream), media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None


class FormParser(parsers.FormParser):
    """Parses a form of at most ``MOST_BYTES``."""

    def parse(
        self, stream: BinaryIO, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return super().parse(_bounded(stream), media_type, parser_context)


def _bounded(stream: BinaryIO) -> BytesIO:
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BodyTooLarge
    return BytesIO(content)
