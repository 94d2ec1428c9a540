"""DeepCap in a process of its own, with a data folder and a database of its own.

Settings are read when Django starts, so that every measurement starts one: :class:`Child` is for the parent,
``python -m benchmarks.child MODULE`` is the child. It answers calls of the module's functions, one JSON line each way.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def data_folder(parent: Path) -> Iterator[Path]:
    """Give an empty folder below ``parent`` and remove it afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Child:
    """A process that runs functions of ``benchmarks.<module>`` and stores below ``data``; ends with the block."""

    def __init__(self, module: str, *, data: Path, database_url: str | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("DEEPCAP_", "AWS_"))}
        environment |= {
            "DEEPCAP_DATA_DIR": str(data),
            "DEEPCAP_LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "deepcap.settings.development",
            "DATABASE_URL": database_url or f"sqlite:///{data / 'db.sqlite3'}",
        }
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "benchmarks.child", module]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, function: str, **arguments: Any) -> Any:
        """Return what the function returns; what it prints goes to the log. RuntimeError when it fails."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{function} failed, and its process ended with code {self._process.wait()}.")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main(module_name: str) -> None:
    import django

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever is printed goes to the log
    django.setup()
    module = importlib.import_module(f"benchmarks.{module_name}")
    for line in sys.stdin:
        function, arguments = json.loads(line)
        print(json.dumps(getattr(module, function)(**arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
