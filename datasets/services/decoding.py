"""Decoding at somebody's request, in a child process with limits: a hostile file ends the child, not the web server."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from datasets.imaging import ImagingError, Sandbox
from deepcap.common.errors import DomainError

LONGEST_WAIT = 20  # seconds: somebody waits for the answer, and others for their turn

_turn = threading.Lock()  # one child a process, one request at a time: decoding is what costs, and memory is scarce


class NotDrawable(DomainError):
    """The stored file cannot be decoded; the code is that of the decoder."""

    status = 422


@contextmanager
def decoder() -> Iterator[Sandbox]:
    """Lend this process's sandbox, to one thread at a time. What it refuses becomes NotDrawable."""
    try:
        with _turn:
            yield _sandbox()
    except ImagingError as error:
        raise NotDrawable(error.message, code=error.code) from error


@cache
def _sandbox() -> Sandbox:
    seconds = min(LONGEST_WAIT, settings.DEEPCAP_DECODER_SECONDS)
    sandbox = Sandbox(memory_bytes=settings.DEEPCAP_DECODER_MEMORY_BYTES, seconds_per_file=seconds)
    atexit.register(sandbox.close)
    return sandbox
