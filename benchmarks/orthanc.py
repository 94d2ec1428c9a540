"""The peer: Orthanc, started as a child with a storage of its own, asked what our ingest does.

Each instance is stored (one by one, or all in one zip) and then shown once as a JPEG that fits 256 × 256. Only the
server's CPU time counts, not that of the client. Files are synced to disk, which is the default here as there.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ServerMissing, free_port

from .corpus import Corpus
from .processes import cpu_seconds

START_SECONDS = 60
PLUGINS = ("libOrthancGdcm.so",)  # decodes JPEG 2000, which Orthanc alone does not
PLUGIN_FOLDERS = (Path("/usr/share/orthanc/plugins"), Path("/usr/local/share/orthanc/plugins"))
PREVIEW = "/instances/%s/frames/0/rendered?width=256&height=256"


@dataclass(frozen=True)
class Cost:
    """CPU seconds of one corpus: storing it, and showing every instance once."""

    store: float
    show: float
    refused: int
    """How many instances could not be shown."""


class Orthanc:
    """A running server; ``as_zip`` tells how it gets its files: in one zip, or one by one."""

    def __init__(self, pid: int, port: int, *, as_zip: bool) -> None:
        self.pid, self.as_zip = pid, as_zip
        self._client = _Client(port)

    def ingest(self, corpus: Corpus) -> Cost:
        """Store the corpus and show each of its instances, after a few others like it."""
        self._show(self._store(corpus.warm_up))
        start = cpu_seconds(self.pid)
        ids = self._store(corpus.path)
        stored = cpu_seconds(self.pid)
        refused = self._show(ids)
        end = cpu_seconds(self.pid)
        if len(set(ids)) != corpus.files:
            raise RuntimeError(f"Orthanc took {len(ids)} of {corpus.files} files.")
        return Cost(stored - start, end - stored, refused)

    def _store(self, path: Path) -> list[str]:
        if self.as_zip:
            body = path.read_bytes()
            answer = json.loads(self._client.ask("POST", "/instances", body, {"Content-Type": "application/zip"}))
            return [stored["ID"] for stored in answer]
        ids = []
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                body = archive.read(name)
                answer = self._client.ask("POST", "/instances", body, {"Content-Type": "application/dicom"})
                ids.append(json.loads(answer)["ID"])
        return ids

    def _show(self, ids: Sequence[str]) -> int:
        """Fetch the preview of every instance; return how many could not be shown."""
        refused = 0
        for instance in ids:
            try:
                picture = self._client.ask("GET", PREVIEW % instance, None, {"Accept": "image/jpeg"})
            except Refused:
                refused += 1
                continue
            if not picture.startswith(b"\xff\xd8"):
                raise RuntimeError("Orthanc's preview is no JPEG.")
        return refused


def version() -> str:
    """Return Orthanc's version and plugins. Raises ServerMissing where it is not installed."""
    done = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True)
    number = re.search(r"Orthanc (\S+)", done.stdout)
    plugins = ", ".join(path.stem.removeprefix("lib") for path in _plugins()) or "no plugins"
    return f"Orthanc {number[1] if number else '?'} ({plugins})"


@contextlib.contextmanager
def running(folder: Path, *, as_zip: bool) -> Iterator[Orthanc]:
    """Run a server with an empty storage in ``folder``, a new one, while the block lasts. Raises ServerMissing."""
    folder.mkdir(parents=True)
    port = free_port()
    configuration = {
        "Name": folder.name,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "SyncStorageArea": True,
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "KeepAlive": True,
        "TcpNoDelay": True,
        "HttpCompressionEnabled": False,
        "Plugins": [str(path) for path in _plugins()],
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", _program(), str(folder / "orthanc.json")],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, folder / "log")
        yield Orthanc(process.pid, port, as_zip=as_zip)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program() -> str:
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ServerMissing("Orthanc", "apt-get install orthanc orthanc-gdcm")
    return program


def _plugins() -> list[Path]:
    found = (folder / name for folder in PLUGIN_FOLDERS for name in PLUGINS)
    return [path for path in found if path.exists()]


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Orthanc did not start:\n{log.read_text(errors='replace')[-2000:]}")


class Refused(RuntimeError):
    """Orthanc answered with an error."""


class _Client:
    """One connection that is kept, and opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        try:
            return self._ask(method, path, body, headers)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            return self._ask(method, path, body, headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise Refused(f"{method} {path}: {response.status} {content[:200]!r}")
        return content
