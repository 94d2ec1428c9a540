"""Combining two labelled datasets of a million images each, against the same made by ORM loops."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .child import Child, data_folder
from .databases import ServerMissing, database
from .report import Section
from .tables import mebibytes, short, table

DATABASE = "PostgreSQL"
IMAGES, QUICK_IMAGES = 1_000_000, 10_000
LOOP_IMAGES, NAIVE_IMAGES = 20_000, 1_000
QUICK_LOOP_IMAGES = 5_000
SHARE, PEAK_MIB, LONGEST_SECONDS = 0.25, 300, 2.0


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on PostgreSQL."""
    images, loop_images = (QUICK_IMAGES, QUICK_LOOP_IMAGES) if quick else (IMAGES, LOOP_IMAGES)
    text = [_introduction(images, loop_images)]
    raw: dict[str, Any] = {"images": images, "loop_images": loop_images}
    try:
        raw |= {
            "loop": _measure(folder, loop_images, "loop", naive=False),
            "naive": _measure(folder, NAIVE_IMAGES, "loop", naive=True),
            "small": _measure(folder, loop_images, "combine"),
            "large": _measure(folder, images, "combine", look=True),
        }
    except ServerMissing as missing:
        return Section("\n\n".join([*text, f"Not measured ({missing})."]), raw)
    return Section("\n\n".join([*text, _rates(raw), _phases(raw["large"]), _looks(raw["large"]), _verdict(raw)]), raw)


def _introduction(images: int, loop_images: int) -> str:
    return (
        f"Two datasets of {images:,} images with a box each become one: the first has a study an image, the second "
        "DICOM studies of 20 images. All paths of the second are used in the first, the labels differ in case and are "
        "matched, one image in 100 has the same bytes in both, and of half of those the two say different things. The "
        "worker's process starts for the measurement; its memory is VmHWM. The loops (`benchmarks/loops.py`) make the "
        f"same but for conflicts and the report, of two times {loop_images:,} images (one `save()` a row: two times "
        f"{NAIVE_IMAGES:,}). Writes are counted where the process opens, renames or makes files in the vault's folder. "
        "PostgreSQL runs with its defaults, but does not sync."
    )


def _measure(folder: Path, images: int, function: str, *, look: bool = False, **arguments: Any) -> dict[str, Any]:
    with database(DATABASE) as url, data_folder(folder) as data:
        with Child("combining", data=data, database_url=url) as child:
            child.call("build", images=images)
        looks = {}
        if look:
            with Child("combining", data=data, database_url=url) as child:
                looks = child.call("look")
        with Child("combining", data=data, database_url=url) as child:
            result = child.call(function, **arguments)
            outcome = child.call("outcome", name="both" if function == "combine" else "looped")
            return {"images": images, "load": os.getloadavg()[1], "outcome": outcome, "looks": looks, **result}


def _rate(result: dict[str, Any]) -> float:
    return sum(result["rows"].values()) / result["seconds"]


def _rates(raw: dict[str, Any]) -> str:
    titles = {
        "large": "the product",
        "small": "the product, as many as the loop",
        "loop": "ORM loop: `iterator()`, `bulk_create()` of 1,000",
        "naive": "ORM loop: `save()` a row",
    }
    rows = [
        [
            title,
            f"2 × {raw[name]['images']:,}",
            f"{sum(raw[name]['rows'].values()):,}",
            short(raw[name]["seconds"]),
            f"{_rate(raw[name]):,.0f}",
            mebibytes(raw[name]["peak"]),
            short(raw[name]["load"]),
        ]
        for name, title in titles.items()
    ]
    head = ["", "images", "rows written", "seconds", "rows a second", "peak memory, MiB", "load of the machine"]
    return table(head, rows)


def _phases(result: dict[str, Any]) -> str:
    rows = [
        [
            phase,
            short(result["phases"].get(phase, result["request_seconds"])),
            each["transactions"],
            short(each["transaction_p95"] * 1e3),
            short(each["transaction_longest"] * 1e3),
        ]
        for phase, each in result["transactions"].items()
    ]
    return table(["phase", "seconds", "transactions", "p95, ms", "longest, ms"], rows)


def _looks(result: dict[str, Any]) -> str:
    rows = [[what, short(seconds)] for what, seconds in result["looks"]["seconds"].items()]
    peak = mebibytes(result["looks"]["peak"])
    return f"What pages ask for before (peak memory of the process {peak} MiB):\n\n" + table(["", "seconds"], rows)


def _verdict(raw: dict[str, Any]) -> str:
    def answer(reached: bool) -> str:
        return "yes" if reached else "**no**"

    large, written = raw["large"], raw["large"]["objects_written"]
    shares = {name: _rate(raw["loop"]) / _rate(raw[name]) for name in ("large", "small")}
    longest = max(each["transaction_longest"] for each in large["transactions"].values())
    return "\n".join(
        [
            f"- At most {SHARE:.0%} of the time of the ORM loop, by rows a second: {shares['large']:.0%} (of as many "
            f"rows {shares['small']:.0%}): {answer(shares['large'] <= SHARE)}.",
            f"- Peak memory at most {PEAK_MIB} MiB: {mebibytes(large['peak'])}: "
            f"{answer(large['peak'] <= PEAK_MIB * 1024**2)}.",
            f"- Transactions at most {LONGEST_SECONDS:g} s: {longest:.2f} s: {answer(longest <= LONGEST_SECONDS)}.",
            f"- Written to the storage: {written['writes']} writes, {written['objects']} objects, {written['bytes']} "
            f"bytes: {answer(not any(written.values()))}.",
        ]
    )
