"""Ingest and previews against Orthanc: CPU per file, rounds interleaved, medians; and what memory a worker needs."""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from tests.servers import ServerMissing

from . import orthanc
from .child import Child, data_folder
from .corpus import NAMES, Corpus, corpus
from .report import Section
from .tables import mebibytes, short, table

ROUNDS, QUICK_ROUNDS = 5, 2
MEMORY_CORPUS, MEMORY_TIMES = "ct-raw", 4
DEEPCAP_ZIP, ORTHANC_ZIP = "DeepCap, zip", "Orthanc, zip"
DEEPCAP_STORED, ORTHANC_FILES = "DeepCap, stored zip", "Orthanc, file by file"
TARGETS = {"ct": 2.0, "cr": 2.0, "us": 1.2}
MEMORY_TARGET = 600 * 1024**2
TEXT = """\
CPU milliseconds a file, medians of {rounds} interleaved rounds (in each, everybody took every corpus once, in random
order). DeepCap: the tasks of an ingest in a worker process, from the upload at rest to the published dataset:
directory, inflation, checksum, SHA-256, header, decoding in the sandboxed child, 256-px JPEG, both objects written and
synced, rows in SQLite (WAL); the CPU of the worker and of its decoder child. Orthanc: {version}, every instance stored,
synced, and shown once as a JPEG of 256 px; the server's CPU.

Compared like with like: a deflated zip that either inflates itself; and files that need no inflation, which DeepCap
takes from a zip without compression and Orthanc one by one. *Cheapest* holds DeepCap with the deflated zip against the
cheaper of Orthanc's two ways, also where the client has done Orthanc's inflating."""


def run(*, folder: Path, quick: bool) -> Section:
    """Measure all corpora against Orthanc, and the memory of a worker."""
    base = template(folder)
    pairs = [(corpus(name, folder, quick=quick), corpus(name, folder, quick=quick, stored=True)) for name in NAMES]
    rounds = []
    with data_folder(folder) as data:
        for number in range(QUICK_ROUNDS if quick else ROUNDS):
            rounds.append(_round(pairs, data / f"round-{number}", base))
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for measured in rounds:
        for (name, contender), milliseconds in measured.items():
            samples[name][contender].append(milliseconds)
    memory = _memory(folder, base, quick=quick)
    try:
        version = orthanc.version()
    except ServerMissing as missing:
        version = f"not measured ({missing})"
    text = [
        TEXT.format(rounds=len(rounds), version=version),
        _ratio_table([each for each, _ in pairs], samples),
        _memory_text(memory),
    ]
    return Section("\n\n".join(text), {"milliseconds": samples, "memory": memory, "orthanc": version})


def template(folder: Path) -> Path:
    """Return a database with tables and one user, copied for each round, which costs less than making it again."""
    data = folder / "template"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with Child("worker", data=data) as child:
        child.call("migrate")
    return data / "db.sqlite3"


def _round(pairs: Sequence[tuple[Corpus, Corpus]], data: Path, base: Path) -> dict[tuple[str, str], float]:
    """Let everybody take every corpus (deflated, stored) once; return CPU milliseconds a file by corpus and taker.

    What they store in ``data`` stays until the last round: ext4 passes over the places of files that were removed less
    than five minutes ago, one by one, so that whoever came after a removal paid for it.
    """
    with ExitStack() as stack:
        data.mkdir()
        shutil.copy(base, data)
        worker = stack.enter_context(Child("worker", data=data))
        takers: dict[str, Callable[[Corpus], float]] = {
            DEEPCAP_ZIP: lambda each: _deepcap(worker, each),
            DEEPCAP_STORED: lambda each: _deepcap(worker, each),
        }
        for number, taker in enumerate((ORTHANC_ZIP, ORTHANC_FILES)):
            try:
                server = stack.enter_context(orthanc.running(data / f"orthanc-{number}", as_zip=taker == ORTHANC_ZIP))
            except ServerMissing:
                continue
            takers[taker] = lambda each, server=server: _orthanc(server, each)
        order = random.sample(pairs, len(pairs))
        measured = {}
        for deflated, stored in order:
            for taker in random.sample(list(takers), len(takers)):
                each = stored if taker in (DEEPCAP_STORED, ORTHANC_FILES) else deflated
                milliseconds = takers[taker](each) * 1e3 / each.files
                measured[each.name, taker] = milliseconds
                print(f"  {each.name:8} {taker:22} {milliseconds:7.2f} ms", flush=True)
        return measured


def _deepcap(worker: Child, each: Corpus) -> float:
    measured = worker.call("ingest", zip_path=str(each.path), warm_up=str(each.warm_up))
    if measured["images"] != each.files:
        raise RuntimeError(f"DeepCap took {measured['images']} of {each.files} files.")
    return measured["worker_cpu"] + measured["decoder_cpu"]


def _orthanc(server: orthanc.Orthanc, each: Corpus) -> float:
    """Return CPU seconds; infinite where Orthanc could not show the files."""
    cost = server.ingest(each)
    return float("inf") if cost.refused else cost.store + cost.show


def _ratio_table(corpora: Sequence[Corpus], samples: dict[str, dict[str, list[float]]]) -> str:
    rows = []
    for each in corpora:
        medians = {taker: median(values) for taker, values in samples[each.name].items()}
        costs = [medians.get(taker) for taker in (DEEPCAP_ZIP, ORTHANC_ZIP, DEEPCAP_STORED, ORTHANC_FILES)]
        target = TARGETS[each.name[:2]]
        cells = [short(cost) if cost else "" for cost in costs]
        ours, zipped, stored, by_file = costs
        if zipped and by_file:
            ratios = [zipped / ours, by_file / stored, min(zipped, by_file) / ours]
            reached = "yes" if min(ratios[:2]) >= target else "**no**"
            cells = [*cells[:2], f"{ratios[0]:.2f}×", *cells[2:], f"{ratios[1]:.2f}×", f"{ratios[2]:.2f}×"]
            rows.append([each.title, each.files, *cells, f"{target:g}×", reached])
        else:
            rows.append([each.title, each.files, *cells[:2], "", *cells[2:], "", "", f"{target:g}×", "not measured"])
    head = ["corpus", "files", DEEPCAP_ZIP, ORTHANC_ZIP, "ratio", DEEPCAP_STORED, ORTHANC_FILES, "ratio", "cheapest"]
    return table([*head, "target", "reached"], rows)


def _memory(folder: Path, base: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Ingest a zip and one of four times as many files, each in a fresh worker; return the peaks."""
    peaks = []
    for times in (1, MEMORY_TIMES):
        each = corpus(MEMORY_CORPUS, folder, quick=quick, times=times)
        with data_folder(folder) as data:
            shutil.copy(base, data)
            with Child("worker", data=data) as worker:
                measured = worker.call("ingest", zip_path=str(each.path), warm_up=str(each.warm_up))
        peaks.append(
            {
                "files": each.files,
                "zip_bytes": each.path.stat().st_size,
                "worker": measured["worker_peak"],
                "decoder": measured["decoder_peak"],
            }
        )
    return peaks


def _memory_text(peaks: Sequence[dict[str, Any]]) -> str:
    rows = [
        [
            f"{peak['files']} CT files, zip of {mebibytes(peak['zip_bytes'])} MiB",
            mebibytes(peak["worker"]),
            mebibytes(peak["decoder"]),
            mebibytes(peak["worker"] + peak["decoder"]),
        ]
        for peak in peaks
    ]
    head = ["peak memory, MiB", "worker", "decoder child", "together"]
    within = all(peak["worker"] + peak["decoder"] <= MEMORY_TARGET for peak in peaks)
    sentence = f"At most 600 MiB and the largest frame, whatever the size of the zip: {'yes' if within else '**no**'}."
    return f"{table(head, rows)}\n\n{sentence} (VmHWM of both; pages they share are counted twice.)"
