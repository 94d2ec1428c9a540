"""Annotation data by the million: label files in, exports out, the report; how long somebody waits for its page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .child import Child, data_folder
from .databases import DATABASES, ServerMissing, database
from .report import Section
from .tables import mebibytes, short, table

ROWS, QUICK_ROWS = 1_000_000, 50_000
ANNOTATIONS = {"SQLite": 1_000_000, "PostgreSQL": 10_000_000}
QUICK_ANNOTATIONS = 200_000
IMAGES_SHARE = 10  # annotations of an image
ROUNDS, QUICK_ROUNDS = 40, 10
FORMATS = ("csv", "coco")
ROWS_A_SECOND, PEAK_MIB, PAGE_MS = 30_000, 400, 200
FLAT_MIB = {"SQLite": 16 + 64, "PostgreSQL": 16}  # SQLite fills its page cache (settings: 64 MiB)


def run(*, folder: Path, quick: bool) -> Section:
    """Measure on both databases."""
    rows, rounds = (QUICK_ROWS, QUICK_ROUNDS) if quick else (ROWS, ROUNDS)
    annotations = dict.fromkeys(ANNOTATIONS, QUICK_ANNOTATIONS) if quick else ANNOTATIONS
    results: dict[str, Any] = {}
    missing_text = []
    for name in DATABASES:
        try:
            with database(name) as url:
                results[name] = _in_and_out(folder, url, rows=rows)
                results[name] |= _report(folder, url, annotations=annotations[name], rounds=rounds)
        except ServerMissing as missing:
            missing_text.append(f"{name}: not measured ({missing}).")
    boxes = " and ".join(f"{number:,} ({name})" for name, number in annotations.items())
    introduction = (
        f"In and out: {rows:,} boxes of {rows // IMAGES_SHARE:,} images as a `label.csv`, from upload to annotation "
        f"data that are counted and have their report, then exported. Report and pages: {boxes} boxes, ten on each "
        "image. CPU and peak memory (VmHWM) are those of the worker's process, which starts for each measurement; "
        "SQLite is in it, PostgreSQL is not. Pages: milliseconds to the first byte, in process, median of "
        f"{rounds} visits."
    )
    text = [introduction, _table(results), _verdict(results), *missing_text]
    return Section("\n\n".join(text), {"rows": rows, "annotations": annotations, "results": results})


def _in_and_out(folder: Path, url: str | None, *, rows: int) -> dict[str, Any]:
    with data_folder(folder) as data:
        label_file = data / "label.csv"
        with Child("labelling", data=data, database_url=url) as child:
            child.call("build", images=rows // IMAGES_SHARE)
            child.call("write_boxes", path=str(label_file), images=rows // IMAGES_SHARE, rows=rows)
        with Child("labelling", data=data, database_url=url) as child:
            result = {"in": child.call("read_boxes", path=str(label_file))}
        for form in FORMATS:
            with Child("labelling", data=data, database_url=url) as child:
                result[form] = child.call("write_out", file_format=form)
        return result


def _report(folder: Path, url: str | None, *, annotations: int, rounds: int) -> dict[str, Any]:
    with data_folder(folder) as data:
        with Child("labelling", data=data, database_url=url) as child:
            if url is None:
                child.call("build", images=annotations // IMAGES_SHARE)
            else:
                child.call("build_again", images=annotations // IMAGES_SHARE)
            child.call("multiply_boxes", annotations=annotations)
        with Child("labelling", data=data, database_url=url) as child:
            counting = child.call("count")
        with Child("labelling", data=data, database_url=url) as child:
            return {
                "counting": counting,
                "pages": child.call("look", rounds=rounds),
                "naive": child.call("count_naively"),
            }


def _table(results: dict[str, Any]) -> str:
    lines = {
        "label.csv in: rows a CPU second": lambda each: f"{each['in']['rows'] / each['in']['cpu']:,.0f}",
        "label.csv in: rows a second": lambda each: f"{each['in']['rows'] / each['in']['seconds']:,.0f}",
        "label.csv in: peak memory, MiB": lambda each: mebibytes(each["in"]["peak"]),
    }
    for form in FORMATS:
        lines |= {
            f"{form} out: rows a CPU second": lambda each, form=form: f"{each[form]['rows'] / each[form]['cpu']:,.0f}",
            f"{form} out: MiB": lambda each, form=form: mebibytes(each[form]["bytes"]),
            f"{form} out: first bytes after, ms": lambda each, form=form: short(each[form]["first"] * 1e3),
            f"{form} out: memory after a twentieth, MiB": lambda each, form=form: mebibytes(each[form]["resident"][1]),
            f"{form} out: memory at the end, MiB": lambda each, form=form: mebibytes(each[form]["resident"][-1]),
        }
    lines |= {
        "counts of all rows: seconds": lambda each: short(each["counting"]["count_seconds"]),
        "counts and report: seconds": lambda each: short(each["counting"]["seconds"]),
        "counts and report: CPU seconds": lambda each: short(each["counting"]["cpu"]),
        "counts and report: longest piece, seconds": lambda each: short(each["counting"]["longest"]),
        "counts and report: peak memory, MiB": lambda each: mebibytes(each["counting"]["peak"]),
    }
    first = next(iter(results.values()), {"pages": []})
    for place, page in enumerate(first["pages"]):
        lines |= {
            f"{page['title']}: median, ms": lambda each, place=place: short(each["pages"][place]["median"]),
            f"{page['title']}: p95, ms": lambda each, place=place: short(each["pages"][place]["p95"]),
            f"{page['title']}: queries": lambda each, place=place: each["pages"][place]["queries"],
        }
    lines["the label distribution alone, counted in the request: ms"] = lambda each: short(each["naive"] * 1e3)
    rows = [[title, *(value(each) for each in results.values())] for title, value in lines.items()]
    return table(["", *results], rows)


def _verdict(results: dict[str, Any]) -> str:
    def answer(reached: bool) -> str:
        return "yes" if reached else "**no**"

    lines = []
    for name, each in results.items():
        rate, peak = each["in"]["rows"] / each["in"]["cpu"], each["in"]["peak"] / 1024**2
        grown = max(each[form]["resident"][-1] - each[form]["resident"][1] for form in FORMATS) / 1024**2
        slowest = max(page["median"] for page in each["pages"])
        flat = FLAT_MIB[name]
        lines.append(
            f"- {name}: at least {ROWS_A_SECOND:,} rows a CPU second in: {answer(rate >= ROWS_A_SECOND)}; at most "
            f"{PEAK_MIB} MiB: {answer(peak <= PEAK_MIB)}; memory of exports flat (within {flat} MiB): "
            f"{answer(grown <= flat)}; first byte of every page within {PAGE_MS} ms: {answer(slowest <= PAGE_MS)}."
        )
    return "\n".join(lines)
