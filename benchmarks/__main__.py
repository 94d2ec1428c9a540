"""``python -m benchmarks [--quick] [names ...]``: run them, write BENCHMARKS.md."""

from __future__ import annotations

import argparse
import importlib
import os
import time
from pathlib import Path

from .report import ROOT, write

BENCHMARKS = {
    "ingest": "Ingest and previews, against Orthanc",
    "stages": "Where an ingest spends its time",
    "pages": "Pages and API lists, with 10,000 datasets and one of a million images",
    "combine": "Combining two labelled datasets",
    "deletion": "Deleting a large dataset while somebody looks at lists",
    "viewer": "The viewer in Chromium",
    "annotations": "Annotation data: a million boxes in and out, the page of ten million",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller data, a few minutes in all")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    folder = Path(os.environ.get("DEEPCAP_BENCH_DIR", ROOT / "var" / "bench")).resolve()
    for name in arguments.names or BENCHMARKS:
        started = time.monotonic()
        print(f"{name} …", flush=True)
        section = importlib.import_module(f".{name}", __package__).run(folder=folder, quick=arguments.quick)
        write(name, BENCHMARKS[name], section, quick=arguments.quick)
        print(f"{name}: {time.monotonic() - started:.0f} s\n\n{section.text}\n", flush=True)


if __name__ == "__main__":
    main()
