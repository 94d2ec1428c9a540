"""The child process of a sandbox, as its parent sees it: what it is started with, told, and answers."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from .limits import Limits
from .protocol import ANSWER, MESSAGE_BYTES, READY
from .room import Room

START_SECONDS = 60.0
KEPT_BYTES = 64 << 20
"""An output buffer above this is given back."""

_ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class SandboxFault(RuntimeError):
    """A fault of this package inside the child, with the child's traceback; no fault of the file."""


class Place(NamedTuple):
    """Where in the room a file lies, in bytes."""

    offset: int
    size: int


class ChildProcess:
    """One child with its socket, the room it reads files in, and the buffer it writes answers to.

    ``awaited`` is how many files it has been told of and not yet answered.
    """

    def __init__(self, program: str, memory_bytes: int, limits: Limits, room: Room) -> None:
        self.owner = os.getpid()
        self.awaited = 0
        self._starter = threading.current_thread()
        self._room = room
        self._read = 0
        self._output = os.memfd_create("imaging-output", os.MFD_CLOEXEC)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._poll = select.poll()
        self._poll.register(self._channel, select.POLLIN)
        with theirs:
            passed = (theirs.fileno(), room.fd, self._output)
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

    def send(self, request: dict[str, Any], room: Room, places: Sequence[Place]) -> None:
        """Ask the same about files in a room; an answer is owed for each. Raises ConnectionError when it is dead."""
        message = json.dumps({**request, "files": places}).encode()
        if room is self._room:
            self._channel.send(message)
        else:
            socket.send_fds(self._channel, [message], [room.fd])
            self._room = room
        self.awaited, self._read = len(places), 0

    def receive(self, seconds: float) -> tuple[int, dict[str, Any], bytes]:
        """Wait for the next answer: status, document, bytes.

        Raises TimeoutError when it takes too long, ConnectionError when the child dies over it.
        """
        status, length, blob_length = ANSWER.unpack(self._receive(seconds))
        answer = os.pread(self._output, length + blob_length, self._read)
        while len(answer) < length + blob_length:
            more = os.pread(self._output, length + blob_length - len(answer), self._read + len(answer))
            if not more:
                raise ConnectionError("the answer is incomplete")
            answer += more
        self._read += len(answer)
        self.awaited -= 1
        if not self.awaited and self._read > KEPT_BYTES:
            os.ftruncate(self._output, 0)
        return status, json.loads(answer[:length]), answer[length:]

    def end(self) -> None:
        """Kill the process, collect it, and close everything."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close this process's ends of everything and leave the child alone."""
        self._channel.close()
        os.close(self._output)

    def _receive(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        while not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if time.monotonic() >= deadline:
                raise TimeoutError
        message = self._channel.recv(MESSAGE_BYTES)
        if not message:
            raise ConnectionError("the child is gone")
        return message
