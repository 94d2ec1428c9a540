"""Decoding at somebody's request, in a child process with limits: a hostile file ends the child, not the web server."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _

from datasets.imaging import ImagingError, Sandbox
from deepcap.common.errors import DomainError

LONGEST_WAIT = 20  # seconds: somebody waits for the answer, and others for their turn

_turn = threading.Lock()  # one child a process, one request at a time: decoding is what costs, and memory is scarce


class NotDrawable(DomainError):
    """The stored file cannot be decoded; the code is that of the decoder."""

    status = 422


class DecoderBusy(DomainError):
    """Others' images take so long that this one's turn did not come; the threads that answer are not kept for ever."""

    status = 503
    code = "decoder_busy"


@contextmanager
def decoder() -> Iterator[Sandbox]:
    """Lend this process's sandbox, to one thread at a time. What it refuses becomes NotDrawable. Raises DecoderBusy."""
    if not _turn.acquire(timeout=LONGEST_WAIT):
        raise DecoderBusy(_("Too many images are being decoded just now. Please try again in a moment."))
    try:
        yield _sandbox()
    except ImagingError as error:
        raise NotDrawable(error.message, code=error.code) from error
    finally:
        _turn.release()


@cache
def _sandbox() -> Sandbox:
    seconds = min(LONGEST_WAIT, settings.DEEPCAP_DECODER_SECONDS)
    sandbox = Sandbox(memory_bytes=settings.DEEPCAP_DECODER_MEMORY_BYTES, seconds_per_file=seconds)
    atexit.register(sandbox.close)
    return sandbox
