"""Throw-away servers for tests: each a context manager that starts one on a free port of 127.0.0.1 and stops it by pid.

A server that is not installed raises ServerMissing with the one line to print. Servers end with the tests even if those
are killed (``setpriv --pdeathsig``). Their data is never synced.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 90
STOP_SECONDS = 20
RADOSGW_PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool")


class ServerMissing(Exception):
    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"skipped: {name} not found ({package})")


@dataclass(frozen=True)
class S3Endpoint:
    url: str
    access_key: str
    secret_key: str


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL; gives the ``DATABASE_URL`` of its superuser. It refuses root, so root runs it as ``postgres``."""
    programs = _find_postgres()
    with _folder("pg-") as folder:
        prefix = _as_user(folder)
        data, port = folder / "data", free_port()
        initdb = [*prefix, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        _run([*initdb, "--locale=C.UTF-8", "--no-sync"], folder)
        options = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
        }
        command = [*prefix, str(programs / "postgres"), "-D", str(data)]
        command += [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with _running(command, port=port, folder=folder, stop=signal.SIGINT):
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """Run Redis; gives its URL."""
    _need("redis-server", name="Redis", package="apt-get install redis-server")
    with _folder("redis-") as folder:
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        with _running(command, port=port, folder=folder):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def swift() -> Iterator[S3Endpoint]:
    """Run OpenStack Swift with its S3 face."""
    if importlib.util.find_spec("swift") is None:
        raise ServerMissing("OpenStack Swift", "pip install -r requirements-dev.txt")
    with _folder("swift-") as folder:
        port = free_port()
        command = [sys.executable, str(Path(__file__).with_name("swift_server.py")), str(folder), str(port)]
        with _running(command, port=port, folder=folder):
            yield S3Endpoint(f"http://127.0.0.1:{port}", "test:tester", "testing")


@contextmanager
def radosgw() -> Iterator[S3Endpoint]:
    """Run Ceph's object gateway over one monitor and one object daemon that keeps everything in memory."""
    for program in RADOSGW_PROGRAMS:
        _need(program, name="radosgw", package="apt-get install radosgw ceph-mon ceph-osd ceph-common")
    with _folder("rgw-") as folder, ExitStack() as daemons:
        port, monitor_ports = free_port(), (free_port(), free_port())
        configuration = ["-c", str(folder / "ceph.conf")]
        keyring = str(folder / "keyring")
        cluster_id = str(uuid.uuid4())
        (folder / "ceph.conf").write_text(_ceph_configuration(folder, cluster_id, monitor_ports, port))
        for name in ("mon", "osd", "run", "log", "rgw"):
            (folder / name).mkdir()

        def start(*command: str, port: int | None = None) -> None:
            daemons.enter_context(_running([*command, "-f"], port=port, folder=folder, log=command[0]))

        def ceph(*arguments: str) -> str:
            return _run(["ceph", *configuration, *arguments], folder)

        allowed = {
            "mon.": {"mon": "allow *"},
            "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
            "client.rgw": {"mon": "allow *", "osd": "allow *"},
        }
        for number, (name, capabilities) in enumerate(allowed.items()):
            caps = [argument for pair in capabilities.items() for argument in ("--cap", *pair)]
            create = ["--create-keyring"] if number == 0 else []
            _run(["ceph-authtool", *create, keyring, "--gen-key", "-n", name, *caps], folder)
        addresses = f"[v2:127.0.0.1:{monitor_ports[0]},v1:127.0.0.1:{monitor_ports[1]}]"
        monitor_map = str(folder / "monmap")
        _run(["monmaptool", "--create", "--addv", "a", addresses, "--fsid", cluster_id, monitor_map], folder)
        monitor = ["ceph-mon", "-i", "a", *configuration]
        _run([*monitor, "--mkfs", "--monmap", monitor_map, "--keyring", keyring], folder)
        start(*monitor, port=monitor_ports[0])

        ceph("auth", "import", "-i", keyring)
        ceph("osd", "new", str(uuid.uuid4()))
        [osd] = json.loads(ceph("osd", "dump", "-f", "json"))["osds"]
        osd_keyring = str(folder / "osd/keyring")
        caps = ["--cap", "mon", "allow *", "--cap", "osd", "allow *"]
        _run(["ceph-authtool", "--create-keyring", osd_keyring, "--gen-key", "-n", "osd.0", *caps], folder)
        ceph("auth", "import", "-i", osd_keyring)
        object_daemon = ["ceph-osd", "-i", "0", *configuration, "--keyring", osd_keyring]
        _run([*object_daemon, "--mkfs", "--osd-uuid", osd["uuid"]], folder)
        start(*object_daemon)

        start("radosgw", "-n", "client.rgw", *configuration, port=port)
        endpoint = S3Endpoint(f"http://127.0.0.1:{port}", "access", "secretsecret")
        create_user = ["radosgw-admin", *configuration, "user", "create", "--uid", "test", "--display-name", "test"]
        _run([*create_user, "--access-key", endpoint.access_key, "--secret-key", endpoint.secret_key], folder)
        yield endpoint


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def _running(
    command: Sequence[str],
    *,
    port: int | None,
    folder: Path,
    log: str = "server",
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run ``command`` while the block lasts; its port, if it has one, answers when the block begins."""
    log_path = folder / f"{log}.log"
    with log_path.open("wb") as output:
        wrapped = ["setpriv", "--pdeathsig", stop.name.removeprefix("SIG"), *_unwrapped(command)]
        process = subprocess.Popen(
            wrapped, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while port is not None and not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log_path.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _unwrapped(command: Sequence[str]) -> Sequence[str]:
    """Leave out a ``setpriv`` in front: its options are added to those of the one that wraps all servers."""
    return command[1:] if command[0] == "setpriv" else command


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    """A folder with a short path: the names of Unix sockets are limited to 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix=f"deepcap-{prefix}", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _need(program: str, *, name: str, package: str) -> None:
    if shutil.which(program) is None:
        raise ServerMissing(name, package)


def _find_postgres() -> Path:
    """Return the folder of ``initdb``: Debian keeps it out of PATH."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    if found is None:
        raise ServerMissing("PostgreSQL", "apt-get install postgresql")
    return Path(found).resolve().parent


def _as_user(folder: Path) -> list[str]:
    if os.getuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _ceph_configuration(folder: Path, cluster_id: str, monitor_ports: tuple[int, int], port: int) -> str:
    return f"""
[global]
fsid = {cluster_id}
mon host = [v2:127.0.0.1:{monitor_ports[0]}/0,v1:127.0.0.1:{monitor_ports[1]}/0]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
osd crush chooseleaf type = 0
mon max pg per osd = 1000
mon data avail warn = 1
mon data avail crit = 0
run dir = {folder}/run
log file = {folder}/log/$name.log
admin socket = {folder}/run/$name.asok
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd objectstore = memstore
memstore device bytes = 2147483648
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
[client.rgw]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port}
"""
