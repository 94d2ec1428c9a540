"""Whether this machine can do its work: for load balancers and supervisors, without signing in."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError

from datasets.blobs.store import STORAGE_FAULTS, get_store

logger = logging.getLogger(__name__)

SECONDS = 3


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Database, storage and broker can be used; otherwise 503, naming those that cannot."""
    failed = [name for name, check, faults in CHECKS if not _passes(name, check, faults)]
    body = {
        "status": "unavailable" if failed else "ok",
        "failed": failed,
        "checks": {name: "failed" if name in failed else "ok" for name, _check, _faults in CHECKS},
    }
    return JsonResponse(body, status=503 if failed else 200)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def check_storage() -> None:
    """Write an object, read it, remove it."""
    store, key, data = get_store(), f"probes/{secrets.token_hex(12)}", secrets.token_bytes(16)
    try:
        store.put(key, data)
        if store.read(key) != data:
            raise OSError("What was written is not what is read.")
    finally:
        store.remove([(key, len(data))])


def check_broker() -> None:
    """Connect and be answered; a broker of files needs folders that can be written to."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        for folder in (options["data_folder_in"], options["data_folder_out"]):
            if not (Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)):
                raise OSError(f"{folder} cannot be written to.")
        return
    limits = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
    url = settings.CELERY_BROKER_URL
    with Connection(url, connect_timeout=SECONDS, transport_options=options | limits) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS)


CHECKS: tuple[tuple[str, Callable[[], None], tuple[type[Exception], ...]], ...] = (
    ("database", check_database, (DatabaseError,)),
    ("storage", check_storage, STORAGE_FAULTS),
    ("broker", check_broker, (BrokerError, OSError)),
)


def _passes(name: str, check: Callable[[], None], faults: tuple[type[Exception], ...]) -> bool:
    try:
        check()
    except faults:
        logger.exception("Not ready: %s", name)
        return False
    return True
