"""BENCHMARKS.md: one section a benchmark, between markers, each with its command, machine and date."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .processes import machine

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "BENCHMARKS.md"
RESULTS = Path(__file__).parent / "results"
INTRODUCTION = """\
# Benchmarks

Written by `make bench` (`python -m benchmarks [--quick] [names …]`), a section each time its benchmark is run; the
numbers behind the tables are in `benchmarks/results/`. Compare ratios and CPU times, not wall times of machines that do
other work as well.
"""


@dataclass(frozen=True)
class Section:
    """What a benchmark found: Markdown for people, ``raw`` for programs (plain JSON values)."""

    text: str
    raw: dict[str, Any]


def write(name: str, title: str, section: Section, *, quick: bool) -> None:
    """Put the section into BENCHMARKS.md in place of the last one of that name, and its numbers into results/."""
    now = datetime.now(UTC)
    command = f"python -m benchmarks{' --quick' if quick else ''} {name}"
    stamp = f"`{command}`, {now:%Y-%m-%d %H:%M} UTC, {machine()}"
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    block = f"{begin}\n## {title}\n\n{stamp}\n\n{section.text}\n{end}"
    written = REPORT.read_text() if REPORT.exists() else INTRODUCTION
    before, found, rest = written.partition(begin)
    written = before + block + rest.partition(end)[2] if found else f"{written.rstrip()}\n\n{block}\n"
    REPORT.write_text(written)
    RESULTS.mkdir(exist_ok=True)
    raw = {"command": command, "at": now.isoformat(timespec="seconds"), "machine": machine(), **section.raw}
    (RESULTS / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")
