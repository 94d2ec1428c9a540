"""``manage.py up`` as a person runs it: one command, real processes, killed in earnest."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.builders import png, zip_of

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"DeepCap is ready at (http://\S+)  \(sign in as admin, password (\S+)\)")
FILES = 400
KILLS = 8

pytestmark = pytest.mark.xdist_group("whole")


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of an installation that keeps everything in ``folder``."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPCAP_", "DJANGO_"))}
    inherited.pop("DATABASE_URL", None)
    return {
        **inherited,
        "DEEPCAP_DATA_DIR": str(folder),
        "DEEPCAP_PORT": str(port),
        "DEEPCAP_WORKERS": "2",
        "DEEPCAP_LEASE_SECONDS": "3",
        "DEEPCAP_BLOB_GRACE_SECONDS": "1",
    }


class Installation:
    """DeepCap embedded in a folder of its own, on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = environment(folder, self.port)
        self.process = self._start()
        self.token = self.manage("create_token", "admin").stdout.strip()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-samples"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = process.stdout.readline()
        assert READY.fullmatch(line.strip()), line
        return process

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def get(self, path: str) -> dict:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}", headers={"Authorization": f"Token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def children(self, name: str) -> list[psutil.Process]:
        processes = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in processes if name in process.cmdline()]

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture
def installation(tmp_path):
    running = Installation(tmp_path / "var")
    yield running
    if running.process.poll() is None:
        running.stop()


def until(condition, *, seconds: float = 60):
    """Return the first true value of ``condition()``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.2)
    pytest.fail(f"not true within {seconds} seconds")


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_an_ingest_survives_workers_that_are_killed_and_everything_ends_with_the_command(installation, tmp_path):
    members = [(f"image/{number}.png", png(number, width=20 + number, height=30)) for number in range(FILES)]
    archive = tmp_path / "set.zip"
    archive.write_bytes(zip_of(members))
    assert installation.manage("import_dataset", str(archive), "--owner", "admin").returncode == 0
    [dataset] = installation.get("datasets/")["results"]

    for _kill in range(KILLS):
        worker = until(lambda: installation.children("worker"))[0]
        worker.send_signal(signal.SIGKILL)
        time.sleep(0.8)

    until(lambda: installation.get(f"datasets/{dataset['id']}/")["status"] == "available", seconds=120)
    final = installation.get(f"datasets/{dataset['id']}/")
    assert (final["image_count"], final["report"]) == (FILES, {"accepted": FILES, "skipped": 0, "rejected": 0})
    until(lambda: installation.manage("reconcile_storage").returncode == 0)

    everything = installation.descendants()
    assert len(everything) >= 4
    installation.stop()
    assert installation.process.returncode == 0
    assert gone(everything)


def test_nothing_is_left_running_when_the_command_itself_is_killed(installation):
    everything = installation.descendants()
    assert everything
    installation.stop(signal.SIGKILL)
    until(lambda: gone(everything), seconds=30)


def test_a_taken_port_is_told_before_anything_starts(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "manage.py", "up", "--no-samples"]
        variables = environment(tmp_path / "var", port)
        result = subprocess.run(
            command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
