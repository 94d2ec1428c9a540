"""What a worker does, in this process: an upload in the vault becomes a published dataset. Runs in ``child``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from django.core.management import call_command

from datasets import tasks
from datasets.models import Dataset, DatasetStatus, Ingest
from datasets.services.uploads import upload_file
from deepcap.accounts.models import User

from .processes import children, cpu_seconds, peak_bytes


def migrate() -> None:
    """Make the tables; the database is copied for each measurement, which costs less than making it again."""
    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="unused")


def ingest(zip_path: str, warm_up: str) -> dict[str, Any]:
    """Ingest a zip after a small one; return CPU seconds of worker and decoder child, and their peak memory so far.

    The upload is stored before the clock starts, and counted apart.
    """
    take(upload(warm_up))
    before_upload = time.process_time()
    dataset = upload(zip_path)
    worker, decoder, wall = time.process_time(), _decoder_seconds(), time.perf_counter()
    upload_cpu = worker - before_upload
    take(dataset)
    worker, decoder, wall = time.process_time() - worker, _decoder_seconds() - decoder, time.perf_counter() - wall
    dataset.refresh_from_db()
    if dataset.status != DatasetStatus.AVAILABLE:
        raise RuntimeError(f"The corpus became no dataset: {dataset.status_detail}")
    return {
        "upload_cpu": upload_cpu,
        "worker_cpu": worker,
        "decoder_cpu": decoder,
        "wall": wall,
        "images": dataset.image_count,
        "worker_peak": peak_bytes(os.getpid()),
        "decoder_peak": sum(peak_bytes(pid) for pid in children(os.getpid())),
    }


def _decoder_seconds() -> float:
    return sum(cpu_seconds(pid) for pid in children(os.getpid()))


def upload(zip_path: str) -> Dataset:
    """Store a file as an upload in one request does."""
    path = Path(zip_path)
    with path.open("rb") as stream:
        return upload_file(
            owner=User.objects.get(username="ada"), stream=stream, filename=path.name, size=path.stat().st_size
        )


def take(dataset: Dataset) -> None:
    """Do the tasks of an ingest one after the other, as one worker would that nobody shares the work with."""
    ingest = Ingest.objects.get(dataset=dataset)
    tasks.advance_ingest(ingest.pk)
    for _ in range(ingest.batches.count()):
        tasks.read_batch(ingest.pk)
    tasks.advance_ingest(ingest.pk)
