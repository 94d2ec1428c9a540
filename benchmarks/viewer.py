"""The viewer in Chromium: the first image, the next study, a long series; and what it costs the server."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from .child import ROOT, Child, data_folder
from .report import Section
from .scenes import ENCODINGS, PASSWORD, SLICES, USER, make_zip
from .tables import nearest, short, table
from .viewing import look

HUGE = 10_000
ROUNDS, QUICK_ROUNDS = 20, 6
FIRST_IMAGE, NEXT_STUDY, LONGEST_FRAME, BUNDLE = 1000, 300, 100, 1.2 * 1024**2


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on SQLite and local files, one server, one browser."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    with data_folder(folder) as data, _product(data) as address:
        studies = {encoding: _import(data, folder, encoding) for encoding in ENCODINGS}
        with Child("scenes", data=data) as child:
            huge = child.call("grow", study=studies["raw"][-1], images=HUGE)
            costs = child.call("costs", studies=[studies["raw"][0], huge], rounds=rounds)
        looked = {encoding: look(address, found, rounds) for encoding, found in studies.items()}
    bundle = _bundle()
    text = [
        f"CT slices of 512 × 512, {SLICES} a study; Chromium without a graphics card, one server on loopback, warm. "
        "Milliseconds, browser included.",
        _table(looked),
        "The server alone, in process, in milliseconds.",
        table(["", "median", "CPU", "KiB"], [[each["title"], *map(short, each["numbers"])] for each in costs]),
        f"Scripts and styles before the first image: {bundle / 1024:.0f} KiB gzipped, codecs not counted "
        f"(target: at most {BUNDLE / 1024:.0f}): {_yes(bundle <= BUNDLE)}.",
    ]
    return Section("\n\n".join(text), {"viewer": looked, "server": costs, "bundle_bytes": bundle})


def _table(looked: dict[str, dict[str, Any]]) -> str:
    rows = []
    for encoding, found in looked.items():
        later = found["passes"][-1]
        rows.append(
            [
                ENCODINGS[encoding],
                short(median(found["painted"])),
                f"{short(median(found['first']))} {_yes(median(found['first']) <= FIRST_IMAGE)}",
                f"{short(median(found['next']))} {_yes(median(found['next']) <= NEXT_STUDY)}",
                short(median(found["passes"][0]["taken"])),
                short(median(later["taken"])),
                short(nearest(later["taken"], 0.99)),
                f"{short(max(later['taken']))} {_yes(max(later['taken']) <= LONGEST_FRAME)}",
                " → ".join(f"{each['heap'] / 1024**2:.0f}" for each in found["passes"]),
            ]
        )
    head = [
        "", "first picture", f"first image (≤ {FIRST_IMAGE})", f"next study (≤ {NEXT_STUDY})", "slice, first pass",
        "slice, third pass", "99 %", f"longest (≤ {LONGEST_FRAME})", "script memory MiB by pass",
    ]  # fmt: skip
    return table(head, rows)


def _yes(reached: bool) -> str:
    return "yes" if reached else "**no**"


def _bundle() -> int:
    """Return the bytes of what the page loads before any codec, compressed as they are served."""
    static = ROOT / "viewer" / "static" / "viewer"
    files = [static / "boot.js", static / "viewer.css", *static.glob("main-*.js")]
    return sum(len(gzip.compress(file.read_bytes())) for file in files)


@contextmanager
def _product(data: Path) -> Iterator[str]:
    """Run DeepCap with the data folder while the block lasts; give its address."""
    from tests.servers import free_port

    port = free_port()
    command = [sys.executable, "manage.py", "up", "--port", str(port), "--workers", "1", "--no-samples"]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(data), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        if "ready" not in process.stdout.readline():
            raise RuntimeError("DeepCap did not start.")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPCAP_", "AWS_"))}
    return kept | {"DEEPCAP_DATA_DIR": str(data), "DEEPCAP_ADMIN_PASSWORD": PASSWORD, "DEEPCAP_LOG_LEVEL": "ERROR"}


def _import(data: Path, folder: Path, encoding: str) -> list[int]:
    """Import studies of one encoding; return their ids in order."""
    path = make_zip(folder, encoding)
    command = [sys.executable, "manage.py", "import_dataset", str(path), "--owner", USER, "--wait"]
    subprocess.run(command, cwd=ROOT, env=_environment(data), check=True, stdout=subprocess.DEVNULL)
    with Child("scenes", data=data) as child:
        return child.call("studies_of", name=path.stem)
