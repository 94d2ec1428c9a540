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
DEEPCAP, BY_INSTANCE, BY_ZIP = "deepcap", "orthanc by instance", "orthanc by zip"
TARGETS = {"ct": 2.0, "cr": 2.0, "us": 1.2}
MEMORY_TARGET = 600 * 1024**2
RATIOS = """\
CPU milliseconds a file, medians of {rounds} interleaved rounds (in each, every contender took every corpus once, in random
order). DeepCap: the tasks of an ingest in a worker process, from the upload at rest to the published dataset: directory,
inflation, checksum, SHA-256, header, decoding in the sandboxed child, 256-px JPEG, both objects written and synced, rows
in SQLite (WAL); the CPU of the worker and of its decoder child. Orthanc: {version}, every instance stored and shown once
as a JPEG of 256 px; the server's CPU. *By instance* the client inflates the zip and nobody counts that; *by zip* Orthanc
inflates it, as DeepCap does. The ratio is against the cheaper of the two."""


def run(*, folder: Path, quick: bool) -> Section:
    """Measure all corpora against Orthanc, and the memory of a worker."""
    template = _template(folder)
    corpora = [corpus(name, folder, quick=quick) for name in NAMES]
    rounds = [_round(corpora, folder, template) for _ in range(QUICK_ROUNDS if quick else ROUNDS)]
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for measured in rounds:
        for (name, contender), milliseconds in measured.items():
            samples[name][contender].append(milliseconds)
    memory = _memory(folder, template, quick=quick)
    try:
        version = orthanc.version()
    except ServerMissing as missing:
        version = f"not measured ({missing})"
    text = [
        RATIOS.format(rounds=len(rounds), version=version),
        _ratio_table(corpora, samples),
        _memory_text(memory),
    ]
    return Section("\n\n".join(text), {"milliseconds": samples, "memory": memory, "orthanc": version})


def _template(folder: Path) -> Path:
    """Return a database with tables and one user, copied for each round, which costs less than making it again."""
    data = folder / "template"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with Child("worker", data=data) as child:
        child.call("migrate")
    return data / "db.sqlite3"


def _round(corpora: Sequence[Corpus], folder: Path, template: Path) -> dict[tuple[str, str], float]:
    """Let every contender take every corpus once; return CPU milliseconds a file by corpus and contender."""
    with ExitStack() as stack:
        data = stack.enter_context(data_folder(folder))
        shutil.copy(template, data)
        worker = stack.enter_context(Child("worker", data=data))
        contenders: dict[str, Callable[[Corpus], float]] = {DEEPCAP: lambda each: _deepcap(worker, each)}
        for contender, as_zip in ((BY_INSTANCE, False), (BY_ZIP, True)):
            try:
                server = stack.enter_context(orthanc.running(data / contender.replace(" ", "-"), as_zip=as_zip))
            except ServerMissing:
                continue
            contenders[contender] = lambda each, server=server: _orthanc(server, each)
        turns = [(each, contender) for each in corpora for contender in contenders]
        order = {each.name: random.random() for each in corpora}
        turns.sort(key=lambda turn: (order[turn[0].name], random.random()))
        measured = {}
        for each, contender in turns:
            milliseconds = contenders[contender](each) * 1e3 / each.files
            measured[each.name, contender] = milliseconds
            print(f"  {each.name:8} {contender:20} {milliseconds:7.2f} ms", flush=True)
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
        medians = {contender: median(values) for contender, values in samples[each.name].items()}
        ours = medians[DEEPCAP]
        peers = [medians[contender] for contender in (BY_INSTANCE, BY_ZIP) if contender in medians]
        target = TARGETS[each.name[:2]]
        ratio = min(peers) / ours if peers else None
        verdict = "not measured" if ratio is None else f"{ratio:.2f}×"
        reached = "" if ratio is None else "yes" if ratio >= target else "**no**"
        rows.append([each.title, each.files, short(ours), *map(short, peers), verdict, f"{target:g}×", reached])
    head = ["corpus", "files", "DeepCap", "Orthanc by instance", "Orthanc by zip", "ratio", "target", "reached"]
    return table(head, rows)


def _memory(folder: Path, template: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Ingest a zip and one of four times as many files, each in a fresh worker; return the peaks."""
    peaks = []
    for times in (1, MEMORY_TIMES):
        each = corpus(MEMORY_CORPUS, folder, quick=quick, times=times)
        with data_folder(folder) as data:
            shutil.copy(template, data)
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
