"""Where an ingest spends its CPU time: stage by stage, decoder and all in one process, against the whole as it runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .child import Child, data_folder
from .corpus import corpus
from .ingest import template
from .report import Section
from .tables import short, table

NAMES = ("ct-raw", "ct-jll", "cr-raw", "cr-j2k", "cr-jls", "us-jpeg")
TEXT = """\
CPU milliseconds a file. The stages were timed with the decoder inside the worker's process; what passing files to the
decoder's own process costs is the difference between the whole as it runs and their sum, with what belongs to none of
them (directory, leases, announcements)."""


def run(*, folder: Path, quick: bool) -> Section:
    """Measure every corpus twice: with stages timed, and as it runs."""
    results: dict[str, dict[str, float]] = {}
    titles = {}
    base = template(folder)
    with data_folder(folder) as kept:  # until the end: ext4 passes over the places of removed files one by one
        for name in NAMES:
            each = corpus(name, folder, quick=quick)
            titles[name] = each.title
            arguments: dict[str, Any] = {"zip_path": str(each.path), "warm_up": str(each.warm_up)}
            measured = {}
            for module in ("profiling", "worker"):
                data = kept / f"{name}-{module}"
                data.mkdir()
                shutil.copy(base, data)
                with Child(module, data=data) as child:
                    measured[module] = child.call("ingest", **arguments)
            stages = {stage: seconds * 1e3 / each.files for stage, seconds in measured["profiling"].items()}
            whole = (measured["worker"]["worker_cpu"] + measured["worker"]["decoder_cpu"]) * 1e3 / each.files
            results[name] = {**stages, "passing on, and all else": whole - sum(stages.values()), "whole": whole}
    stage_names = list(next(iter(results.values())))
    rows = [[stage, *(short(results[name].get(stage, 0.0)) for name in NAMES)] for stage in stage_names]
    return Section(f"{TEXT}\n\n{table(['', *titles.values()], rows)}", {"milliseconds": results})
