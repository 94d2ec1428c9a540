"""Decoding in a child process: what a hostile file does to a decoder, it does there.

The child is kept from file to file. It gets the bytes through a shared buffer (no pickling, no copy but one), answers
in JSON and bytes that are only parsed here, and is killed and started anew after a crash, when it runs out of memory,
or when a file takes too long. It is started with subprocess, since Celery's daemonic workers may not fork helpers.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import Rejected, Skipped
from .limits import Limits
from .protocol import ANSWER, FAULT, MEMORY, OK, READY, REJECTED, SKIPPED
from .records import Examined, ImageHeader, PixelPlace, Rendered, Samples

START_SECONDS = 60.0
KEPT_BYTES = 64 << 20
"""A shared buffer above this is given back after the file."""

_ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Data = bytes | bytearray | memoryview


class SandboxFault(RuntimeError):
    """A fault of this package inside the child, with the child's traceback; no fault of the file."""


class Sandbox:
    """Runs `examine` and `render` in a child with limits; one thread at a time may use it.

    ``memory_bytes`` is the address space one file may take beyond the idle child, ``seconds_per_file`` wall time. A
    file that breaks these, or the child, is Rejected (``decoder_memory``, ``decoder_timeout``, ``decoder_crashed``);
    the next file finds a fresh child. The child starts at first use.
    """

    program = "datasets.imaging.child"

    def __init__(
        self, *, memory_bytes: int = 2 << 30, seconds_per_file: float = 60.0, limits: Limits | None = None
    ) -> None:
        self.memory_bytes = memory_bytes
        self.seconds_per_file = seconds_per_file
        self.limits = limits or Limits()
        self._child: _Child | None = None

    def examine(self, data: Data) -> Examined:
        """Like `datasets.imaging.examine.examine`, with this sandbox's limits."""
        document, blob = self._ask({"do": "examine"}, data)
        header = ImageHeader(**document["header"])
        thumbnail = blob if document["drawn"] else None
        return Examined(header, thumbnail, document["undrawable"], document["undrawable_message"])

    def render(self, data: Data, *, frame: int = 1, window: tuple[float, float] | None = None) -> Rendered:
        """Like `datasets.imaging.examine.render`."""
        document, blob = self._ask({"do": "render", "frame": frame, "window": window}, data)
        return Rendered(png=blob, **document)

    def dicom_json(self, data: Data) -> dict[str, Any]:
        """Like `datasets.imaging.examine.dicom_json`."""
        document, _ = self._ask({"do": "dicom_json"}, data)
        return document

    def samples(self, data: Data, *, frame: int = 1, head: int = 0) -> Samples:
        """Like `datasets.imaging.samples.samples`."""
        document, blob = self._ask({"do": "samples", "frame": frame, "head": head}, data)
        return Samples(data=blob, **document)

    def locate_pixels(self, head: Data) -> PixelPlace:
        """Like `datasets.imaging.dicom.parts.locate_pixels`, with this sandbox's limits."""
        document, _ = self._ask({"do": "locate_pixels"}, head)
        return PixelPlace(**document | {"extended": tuple(document["extended"])})

    def voi_luts(self, head: Data) -> list[dict[str, Any]]:
        """Like `datasets.imaging.dicom.luts.voi_luts`."""
        document, _ = self._ask({"do": "voi_luts"}, head)
        return list(document["luts"])

    def tags(self, head: Data) -> list[dict[str, Any]]:
        """Return the header's elements as rows: `datasets.imaging.dicom.listing.list_tags`."""
        document, _ = self._ask({"do": "tags"}, head)
        return list(document["tags"])

    def close(self) -> None:
        """End the child; the sandbox starts another when it is used again."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, Any], data: Data) -> tuple[dict[str, Any], bytes]:
        """Have the child answer one request about one file."""
        view = memoryview(data)
        if not len(view):
            raise Rejected("file_empty", "The file is empty.")
        try:
            status, document, blob = self._answer(request, view)
        except TimeoutError as late:
            self.close()
            raise Rejected(
                "decoder_timeout", f"The image took longer than {self.seconds_per_file:g} seconds to decode."
            ) from late
        except ConnectionError as dead:
            self.close()
            raise Rejected("decoder_crashed", "The image made its decoder crash.") from dead
        except BaseException:
            self.close()  # interrupted halfway: the next answer would belong to this file
            raise
        if status == MEMORY:
            self.close()
            raise Rejected("decoder_memory", "The image needs more memory than is allowed.")
        if status == FAULT:
            self.close()
            raise SandboxFault(document["traceback"])
        if status != OK:
            kind = {REJECTED: Rejected, SKIPPED: Skipped}[status]
            raise kind(document["code"], document["message"])
        return document, blob

    def _answer(self, request: dict[str, Any], data: memoryview) -> tuple[int, dict[str, Any], bytes]:
        """Ask a living child, and a second one where the first died with the thread that had started it."""
        child = self._ready_child()
        try:
            return child.ask(request, data, self.seconds_per_file)
        except ConnectionError:
            if not child.orphaned():
                raise
        return self._ready_child().ask(request, data, self.seconds_per_file)

    def _ready_child(self) -> "_Child":
        """Return a living child of this very process: after a fork the parent's child is not ours to talk to."""
        child = self._child
        if child is not None and child.owner != os.getpid():
            child.forget()
            child = None
        elif child is not None and (child.orphaned() or not child.alive()):
            child.end()
            child = None
        if child is None:
            child = self._child = _Child(self.program, self.memory_bytes, self.limits)
        return child


class _Child:
    """One child process with its socket and its two shared buffers."""

    def __init__(self, program: str, memory_bytes: int, limits: Limits) -> None:
        self.owner = os.getpid()
        self._starter = threading.current_thread()
        self._capacity = 0
        self._input = os.memfd_create("imaging-input", os.MFD_CLOEXEC)
        self._output = os.memfd_create("imaging-output", os.MFD_CLOEXEC)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            passed = (theirs.fileno(), self._input, self._output)
            arguments = [*map(str, passed), str(memory_bytes), str(self.owner), json.dumps(asdict(limits))]
            environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            environment |= _ONE_THREAD | {"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
            self._process = subprocess.Popen(  # noqa: S603 - our own module, arguments are numbers and JSON
                [sys.executable, "-m", program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                close_fds=True,
                pass_fds=passed,
                cwd="/",
                env=environment,
            )
        try:
            started = self._receive(START_SECONDS) == READY
        except (TimeoutError, ConnectionError):
            started = False
        if not started:
            self.end()
            raise SandboxFault(f"The decoding child did not start (exit code {self._process.returncode}).")

    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def orphaned(self) -> bool:
        """Tell whether the thread that started the child has ended: Linux then kills the child as if its parent had."""
        return not self._starter.is_alive()

    def ask(self, request: dict[str, Any], data: memoryview, seconds: float) -> tuple[int, dict[str, Any], bytes]:
        """Hand the file over and wait for the answer.

        Raises TimeoutError when it takes too long, ConnectionError when the child dies over it.
        """
        self._fill(data)
        self._channel.send(json.dumps({**request, "size": len(data), "capacity": self._capacity}).encode())
        status, length, blob_length = ANSWER.unpack(self._receive(seconds))
        answer = os.pread(self._output, length + blob_length, 0)
        while len(answer) < length + blob_length:
            more = os.pread(self._output, length + blob_length - len(answer), len(answer))
            if not more:
                raise ConnectionError("the answer is incomplete")
            answer += more
        if self._capacity > KEPT_BYTES or len(answer) > KEPT_BYTES:
            self._give_back()
        return status, json.loads(answer[:length]), answer[length:]

    def end(self) -> None:
        """Kill the process, collect it, and close everything."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close this process's ends of everything and leave the child alone."""
        self._channel.close()
        os.close(self._input)
        os.close(self._output)

    def _fill(self, data: memoryview) -> None:
        """Copy the file into the shared input buffer, grown to whole MiB where needed."""
        size = len(data)
        if size > self._capacity:
            self._capacity = -(-size // (1 << 20)) << 20
            os.ftruncate(self._input, self._capacity)
        offset = 0
        while offset < size:
            offset += os.pwrite(self._input, data[offset:], offset)

    def _give_back(self) -> None:
        """Free the pages of both buffers."""
        self._capacity = 0
        os.ftruncate(self._input, 0)
        os.ftruncate(self._output, 0)

    def _receive(self, seconds: float) -> bytes:
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        deadline = time.monotonic() + seconds
        while not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if time.monotonic() >= deadline:
                raise TimeoutError
        message = self._channel.recv(4096)
        if not message:
            raise ConnectionError("the child is gone")
        return message
