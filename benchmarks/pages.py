"""Pages and API lists over many rows: time to the first byte, and the number of queries behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .child import Child, data_folder
from .databases import DATABASES, ServerMissing, database
from .report import Section
from .tables import short, table

DATASETS, IMAGES, QUICK_IMAGES = 10_000, 1_000_000, 100_000
ROUNDS, QUICK_ROUNDS = 40, 15
LIST_TARGET = 2.0


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on both databases."""
    images, rounds = (QUICK_IMAGES, QUICK_ROUNDS) if quick else (IMAGES, ROUNDS)
    text = [
        f"Milliseconds to the first byte, answered in process (no web server), {rounds} visits in turn; "
        f"one person has 10 datasets, another {DATASETS:,}, of which the newest has {images:,} studies of one image. "
        "CPU is that of the process that answers; SQLite's is in it, PostgreSQL's is not."
    ]
    raw: dict[str, Any] = {}
    for name in DATABASES:
        try:
            with (
                database(name) as url,
                data_folder(folder) as data,
                Child("visits", data=data, database_url=url) as child,
            ):
                child.call("build", datasets=DATASETS, images=images)
                results = child.call("measure", rounds=rounds)
        except ServerMissing as missing:
            text.append(f"{name}: not measured ({missing}).")
            continue
        raw[name] = results
        text.append(f"### {name}\n\n{_table(results)}\n\n{_verdict(results)}")
    return Section("\n\n".join(text), {"images": images, "datasets": DATASETS, "results": raw})


def _table(results: list[dict[str, Any]]) -> str:
    rows = [
        [
            each["title"],
            *(short(each[key]) for key in ("median", "p95", "cpu")),
            each["queries"],
            f"{each['bytes'] / 1024:.0f}",
        ]
        for each in results
    ]
    return table(["", "median ms", "p95 ms", "CPU ms", "queries", "KiB"], rows)


def _verdict(results: list[dict[str, Any]]) -> str:
    few, many = (each["median"] for each in results[:2])
    reached = "yes" if many <= LIST_TARGET * few else "**no**"
    return (
        f"List page with 10,000 datasets against 10: {many / few:.2f}× (target: at most {LIST_TARGET:g}×): {reached}."
    )
