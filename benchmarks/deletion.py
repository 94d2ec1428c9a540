"""Deleting a dataset of a million images while somebody looks at the list of datasets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from .child import Child, data_folder
from .databases import DATABASES, ServerMissing, database
from .report import Section
from .tables import nearest, short, table

DATASETS = 10_000
IMAGES, QUICK_IMAGES = 1_000_000, 20_000
VISITS_BEFORE, VISITS_AT_ONCE = 30, 5


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on both databases."""
    images = QUICK_IMAGES if quick else IMAGES
    results: dict[str, Any] = {}
    missing_text = []
    for name in DATABASES:
        try:
            with database(name) as url, data_folder(folder) as data:
                results[name] = _delete(data, url, images=images)
        except ServerMissing as missing:
            missing_text.append(f"{name}: not measured ({missing}).")
    introduction = (
        f"A dataset of {images:,} images, each in a study and a blob of its own, is deleted with the words of the "
        "console: request, rows in batches, then the vault's rows (its objects were never written: their removal is "
        "the storage's affair). A second process asks for the list page, of 10,000 datasets, again and again."
    )
    return Section("\n\n".join([introduction, _table(results), *missing_text]), {"images": images, "results": results})


def _delete(data: Path, url: str | None, *, images: int) -> dict[str, Any]:
    with (
        Child("visits", data=data, database_url=url) as visitor,
        Child("erasing", data=data, database_url=url) as worker,
    ):
        visitor.call("build", datasets=DATASETS, images=images)
        before = visitor.call("visit_list", times=VISITS_BEFORE)
        meanwhile: list[float] = []
        with ThreadPoolExecutor(1) as pool:
            erased = pool.submit(worker.call, "erase", name="large")
            while not erased.done():
                meanwhile += visitor.call("visit_list", times=VISITS_AT_ONCE)
        return erased.result() | {
            "list_before": median(before),
            "list_meanwhile": median(meanwhile),
            "list_meanwhile_p95": nearest(meanwhile, 0.95),
            "list_meanwhile_longest": max(meanwhile),
        }


def _table(results: dict[str, Any]) -> str:
    lines = {
        "rows erased a second (images, studies and all below)": lambda each: each["rows"] / each["row_seconds"],
        "images a second": lambda each: each["images"] / each["row_seconds"],
        "rows: seconds": lambda each: each["row_seconds"],
        "vault: seconds": lambda each: each["seconds"] - each["row_seconds"] - each["request_seconds"],
        "request answered after: seconds": lambda each: each["request_seconds"],
        "row transactions, p95: ms": lambda each: each["row_transaction_p95"] * 1e3,
        "row transactions, longest: ms": lambda each: each["row_transaction_longest"] * 1e3,
        "vault transactions, p95: ms": lambda each: each["vault_transaction_p95"] * 1e3,
        "vault transactions, longest: ms": lambda each: each["vault_transaction_longest"] * 1e3,
        "list page before, median: ms": lambda each: each["list_before"],
        "list page meanwhile, median: ms": lambda each: each["list_meanwhile"],
        "list page meanwhile, p95: ms": lambda each: each["list_meanwhile_p95"],
        "list page meanwhile, longest: ms": lambda each: each["list_meanwhile_longest"],
    }
    rows = [[title, *(short(value(each)) for each in results.values())] for title, value in lines.items()]
    return table(["", *results], rows)
