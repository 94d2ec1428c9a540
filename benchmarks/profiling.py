"""An ingest whose stages are timed, with the decoder in this process. Runs in ``child``.

Each stage is a function of the product that is replaced, while it is measured, by one that also reads the clock. Where
one stage runs inside another, only the inner one's clock runs.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from datasets.archives import reader
from datasets.blobs.writer import BlobWriter
from datasets.imaging import Limits, thumbnails
from datasets.imaging.dicom.image import DicomImage
from datasets.imaging.examine import examine as examine_here
from datasets.imaging.protocol import ROOM_BYTES
from datasets.imaging.room import Room
from datasets.ingest import examine, pipeline, read

from . import worker

STAGES: dict[str, list[tuple[Any, str]]] = {
    "inflate, CRC-32": [(reader, "inflate")],
    "hash (SHA-256)": [],
    "header": [(DicomImage, "open"), (DicomImage, "header")],
    "decode": [(DicomImage, "decode"), (DicomImage, "_small_jpeg"), (DicomImage, "_small_j2k")],
    "window": [(DicomImage, "_picture")],
    "shrink": [(thumbnails, "shrink")],
    "encode": [(thumbnails, "encode_jpeg")],
    "write, sync": [(BlobWriter, "write"), (BlobWriter, "sync")],
    "rows": [(read, "_keep"), (BlobWriter, "known")],
    "arrange, publish": [(pipeline, "arrange"), (pipeline, "publish")],
}


class Clock:
    """Process time by stage; the innermost stage under way has it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._under_way: list[str] = []
        self._since = 0.0

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **keywords: Any) -> Any:
            self._switch()
            self._under_way.append(stage)
            try:
                return function(*arguments, **keywords)
            finally:
                self._switch()
                self._under_way.pop()

        return run

    def _switch(self) -> None:
        now = time.process_time()
        if self._under_way:
            self.seconds[self._under_way[-1]] += now - self._since
        self._since = now


def ingest(zip_path: str, warm_up: str) -> dict[str, float]:
    """Ingest a zip after a small one; return CPU seconds by stage."""
    here = _Here()
    examine.sandbox = read.sandbox = lambda: here
    worker.take(worker.upload(warm_up))
    dataset = worker.upload(zip_path)
    clock = Clock()
    for stage, functions in STAGES.items():
        for owner, name in functions:
            original = owner.__dict__[name]
            if isinstance(original, classmethod):
                setattr(owner, name, classmethod(clock.timed(stage, original.__func__)))
            else:
                setattr(owner, name, clock.timed(stage, original))
    examine.hashlib = _Hashlib(clock)
    worker.take(dataset)
    return clock.seconds


class _Here:
    """Stands in for the sandbox and decodes in this process, in the same memory for one file after the other."""

    limits = Limits()

    def __init__(self) -> None:
        self._room = Room(ROOM_BYTES)

    def allocate(self, size: int) -> memoryview | None:
        return self._room.allocate(size)

    def clear(self) -> None:
        self._room.used = 0

    def examine_all(self, files: Sequence[bytes | memoryview]) -> Iterator[Any]:
        return (examine_here(data, self.limits) for data in files)


class _Hashlib:
    """hashlib with a clock."""

    def __init__(self, clock: Clock) -> None:
        self.sha256 = clock.timed("hash (SHA-256)", hashlib.sha256)
