"""Decoding at somebody's request, in a child process with limits: a hostile file ends the child, not the web server."""

from __future__ import annotations

import atexit
import threading
from functools import cache
from typing import Any

from django.conf import settings

from datasets.blobs.store import get_store
from datasets.imaging import ImagingError, Rendered, Sandbox
from datasets.models import Image
from datasets.models.image import ImageFormat
from deepcap.common.errors import DomainError

LONGEST_WAIT = 20  # seconds: somebody waits for the answer, and others for their turn

_turn = threading.Lock()  # one child a process, one request at a time: decoding is what costs, and memory is scarce


class NotDrawable(DomainError):
    """The stored file cannot be decoded; the code is that of the decoder."""

    status = 422


class NotDicom(DomainError):
    status = 404
    code = "not_dicom"


def render_image(*, image: Image, frame: int = 1, window: tuple[float, float] | None = None) -> Rendered:
    """Return frame ``frame`` (from 1) as an 8-bit PNG at full size, by the rules of P8 unless a window is given.

    Raises NotDrawable.
    """
    data = get_store().read(image.blob.original_key)
    try:
        with _turn:
            return _sandbox().render(data, frame=frame, window=window)
    except ImagingError as error:
        raise NotDrawable(error.message, code=error.code) from error


def header_of(image: Image) -> dict[str, Any]:
    """Return a DICOM image's header as DICOM JSON (PS3.18, annex F), bulk data left out.

    Raises NotDicom and NotDrawable.
    """
    if image.format != ImageFormat.DICOM:
        raise NotDicom("Only DICOM images have tags.")
    data = get_store().read(image.blob.original_key)
    try:
        with _turn:
            return _sandbox().dicom_json(data)
    except ImagingError as error:
        raise NotDrawable(error.message, code=error.code) from error


@cache
def _sandbox() -> Sandbox:
    seconds = min(LONGEST_WAIT, settings.DEEPCAP_DECODER_SECONDS)
    sandbox = Sandbox(memory_bytes=settings.DEEPCAP_DECODER_MEMORY_BYTES, seconds_per_file=seconds)
    atexit.register(sandbox.close)
    return sandbox
