"""``manage.py up``: DeepCap on one machine. Migrates, then runs web, workers and timer as children until told to stop.

A child that is killed is started again; one that fails again and again by itself ends everything. Children end with
this process, even when it is killed. Never ``worker -B``: a killed worker would leave its timer, and two would sweep.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

PR_SET_PDEATHSIG = 1
FAILURES = 5
WITHIN_SECONDS = 30
PAUSE_SECONDS = 0.5
GRACE_SECONDS = 15


class Command(BaseCommand):
    help = "Run web, workers and timer on this machine until Ctrl-C."

    def add_arguments(self, parser):
        env = os.environ.get
        parser.add_argument("--host", default=env("DEEPCAP_HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(env("DEEPCAP_PORT", "8000")))
        parser.add_argument("--workers", type=int, default=int(env("DEEPCAP_WORKERS", "0")) or os.cpu_count() or 1)
        parser.add_argument("--no-samples", action="store_true", help="do not load the sample datasets")

    def handle(self, *, host, port, workers, no_samples, **options):
        self._refuse_taken_port(host, port)
        call_command("migrate", interactive=False, verbosity=0)
        password = self._first_operator()
        if not no_samples:
            call_command("load_samples")
        with Supervisor(commands(host=host, port=port, workers=workers)) as supervisor:
            supervisor.wait_for_port(host, port)
            url = f"http://{host}:{port}/"
            self.stdout.write(f"DeepCap is ready at {url}  (sign in as admin, password {password})")
            self.stdout.flush()
            supervisor.watch()

    def _refuse_taken_port(self, host: str, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} on {host} cannot be used: {error.strerror}. Set DEEPCAP_PORT."
                ) from error

    def _first_operator(self) -> str:
        """Make the user ``admin`` on the first run; return what to print as their password."""
        users = get_user_model().objects
        if users.filter(username="admin").exists():
            return "as set at the first run"
        password = os.environ.get("DEEPCAP_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        users.create_superuser("admin", email="", password=password)
        return password


def commands(*, host: str, port: int, workers: int) -> dict[str, list[str]]:
    """Return the command line of each child by name."""
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "--app", "deepcap"]
    schedule = Path(settings.DATA_DIR) / "beat"
    return {
        "web": [
            *(python, "-m", "gunicorn", "deepcap.wsgi:application", "--bind", f"{host}:{port}", "--workers", "1"),
            *("--threads", "8", "--graceful-timeout", "5", "--timeout", "120", "--log-level", "warning"),
        ],
        "worker": [
            *(*celery, "worker", "--concurrency", str(workers), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--hostname", f"deepcap-{port}@%h"),
        ],
        "timer": [*celery, "beat", "--schedule", str(schedule), "--pidfile", "", "--loglevel", "WARNING"],
    }


class Supervisor:
    """Starts children, restarts those that die, and ends them all."""

    def __init__(self, command_lines: dict[str, list[str]]) -> None:
        self.command_lines = command_lines
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.failures: dict[str, deque[float]] = {name: deque(maxlen=FAILURES) for name in command_lines}
        self.stopping = False
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "REMAP_SIGTERM": "SIGQUIT",  # a stopped worker hands its running tasks back at once
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        }

    def __enter__(self) -> Supervisor:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for name in self.command_lines:
            self._start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            _end_group(child.pid)

    def wait_for_port(self, host: str, port: int) -> None:
        """Return once the web child answers; CommandError when it does not come up."""
        while not self.stopping:
            self._restart_dead()
            try:
                socket.create_connection((host, port), timeout=0.2).close()
                return
            except OSError:
                time.sleep(0.1)

    def watch(self) -> None:
        """Return when told to stop; CommandError when a child cannot be kept alive."""
        while not self.stopping:
            self._restart_dead()
            time.sleep(0.2)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _start(self, name: str) -> None:
        self.children[name] = subprocess.Popen(  # noqa: S603 - our own command lines
            self.command_lines[name],
            env=self.environment,
            cwd=settings.BASE_DIR,
            preexec_fn=_die_with_parent,
            start_new_session=True,  # Ctrl-C reaches only us, and we end the children in order
        )

    def _restart_dead(self) -> None:
        for name, child in self.children.items():
            if child.poll() is None or self.stopping:
                continue
            if child.returncode >= 0:  # it ended by itself; one that was killed is always started again
                self._note_failure(name, child.returncode)
            _end_group(child.pid)
            print(f"{name} ended with status {child.returncode}; starting it again.", file=sys.stderr, flush=True)
            time.sleep(PAUSE_SECONDS)
            self._start(name)

    def _note_failure(self, name: str, status: int) -> None:
        failures = self.failures[name]
        failures.append(time.monotonic())
        if len(failures) == FAILURES and failures[-1] - failures[0] < WITHIN_SECONDS:
            raise CommandError(f"{name} ends again and again (status {status}).")


def _end_group(leader: int) -> None:
    """End what a dead child has left running: each child leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _die_with_parent() -> None:
    """In the child: be told to stop when the supervisor is gone, however it went (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
