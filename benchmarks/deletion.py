"""Deleting a dataset of a million images and three million annotations while somebody looks at the list of datasets."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from .child import Child, data_folder
from .databases import ServerMissing, database
from .report import Section
from .tables import mebibytes, nearest, short, table

DATASETS = 10_000
IMAGES = {"SQLite": 100_000, "PostgreSQL": 1_000_000}
QUICK_IMAGES = 10_000
VISITS_BEFORE, VISITS_AT_ONCE = 100, 5
DIES_AFTER = 0.1  # of the images, in rows
TIMES, PEAK_MIB, LONGEST_SECONDS = 2.0, 300, 2.0


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on both databases."""
    results: dict[str, Any] = {}
    missing_text = []
    for name, full in IMAGES.items():
        try:
            with database(name) as url, data_folder(folder) as data:
                results[name] = _delete(data, url, images=QUICK_IMAGES if quick else full)
        except ServerMissing as missing:
            missing_text.append(f"{name}: not measured ({missing}).")
    introduction = (
        "A dataset, each image in a study and a blob of its own and with three boxes, used by an annotation project "
        "whose job has a tenth of the studies, a training task with 10,000 metrics and an inference job, is deleted "
        "with the words of the console: request, rows in batches, then the vault's rows (its objects were never "
        "written: their removal is the storage's affair). The worker is killed (SIGKILL) when as many rows have gone "
        f"as are {DIES_AFTER:.0%} of the images, and another goes on, whose numbers these are. A second process asks "
        "for the list page, of 10,000 datasets, again and again. Peak memory is VmHWM. PostgreSQL runs with its "
        "defaults, but does not sync."
    )
    text = [introduction, _table(results), _verdict(results), *missing_text]
    return Section("\n\n".join(text), {"results": results})


def _delete(data: Path, url: str | None, *, images: int) -> dict[str, Any]:
    with Child("visits", data=data, database_url=url) as visitor:
        visitor.call("build", datasets=DATASETS, images=images)
        with Child("erasing", data=data, database_url=url) as builder:
            builder.call("furnish", name="large")
        before = visitor.call("visit_list", times=VISITS_BEFORE)
        with Child("erasing", data=data, database_url=url) as server:
            requested = server.call("request", name="large")
        deletion = requested["deletion"]
        with Child("erasing", data=data, database_url=url) as victim:
            try:
                victim.call("erase_and_die", deletion_id=deletion, rows=round(images * DIES_AFTER))
            except RuntimeError as killed:
                died = str(killed)
        meanwhile: list[float] = []
        with Child("erasing", data=data, database_url=url) as worker, ThreadPoolExecutor(1) as pool:
            erased = pool.submit(worker.call, "erase", deletion_id=deletion)
            while not erased.done():
                meanwhile += visitor.call("visit_list", times=VISITS_AT_ONCE)
        return erased.result() | {
            "images": images,
            "request": requested,
            "died": died,
            "load": os.getloadavg()[2],
            "list_before": _summary(before),
            "list_meanwhile": _summary(meanwhile),
        }


def _summary(milliseconds: list[float]) -> dict[str, float]:
    return {
        "visits": len(milliseconds),
        "median": median(milliseconds),
        "p95": nearest(milliseconds, 0.95),
        "longest": max(milliseconds),
    }


def _table(results: dict[str, Any]) -> str:
    lines = {
        "images": lambda each: f"{each['images']:,}",
        "rows of all tables, in all": lambda each: f"{each['rows'] + each['rows_before']:,}",
        "rows gone when the worker was killed": lambda each: f"{each['rows_before']:,}",
        "rows erased a second": lambda each: f"{each['rows'] / each['phases']['rows']['seconds']:,.0f}",
        "request answered after: seconds": lambda each: short(each["request"]["seconds"]),
        "rows: seconds": lambda each: short(each["phases"]["rows"]["seconds"]),
        "vault: seconds": lambda each: short(each["phases"]["vault"]["seconds"]),
    }
    for phase in ("rows", "vault"):
        lines |= {
            f"{phase}: transactions": lambda each, phase=phase: each["phases"][phase]["transactions"],
            f"{phase}: transactions, p95, ms": lambda each, phase=phase: short(
                each["phases"][phase]["transaction_p95"] * 1e3
            ),
            f"{phase}: transactions, longest, ms": lambda each, phase=phase: short(
                each["phases"][phase]["transaction_longest"] * 1e3
            ),
        }
    lines["peak memory of the worker, MiB"] = lambda each: mebibytes(each["peak"])
    for when in ("before", "meanwhile"):
        for key in ("median", "p95", "longest"):
            lines[f"list page {when}, {key}, ms"] = lambda each, when=when, key=key: short(each[f"list_{when}"][key])
    lines["load of the machine, 15 minutes"] = lambda each: short(each["load"])
    rows = [[title, *(value(each) for each in results.values())] for title, value in lines.items()]
    return table(["", *results], rows)


def _verdict(results: dict[str, Any]) -> str:
    def answer(reached: bool) -> str:
        return "yes" if reached else "**no**"

    lines = []
    for name, each in results.items():
        times = each["list_meanwhile"]["p95"] / each["list_before"]["p95"]
        longest = max(each["phases"][phase]["transaction_longest"] for phase in ("rows", "vault"))
        lines.append(
            f"- {name}: list page's p95 meanwhile at most {TIMES:g}× that before: {times:.2f}×: "
            f"{answer(times <= TIMES)}; peak memory at most {PEAK_MIB} MiB: "
            f"{answer(each['peak'] <= PEAK_MIB * 1024**2)}; every transaction at most {LONGEST_SECONDS:g} s: "
            f"{longest:.2f} s: {answer(longest <= LONGEST_SECONDS)}; resumed after SIGKILL, receipt complete: "
            f"{answer(each['counts']['images'] == each['images'] and each['rows_before'] > 0)}."
        )
    return "\n".join(lines)
