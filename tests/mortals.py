"""Workers to be killed: forked from a process in which everything is loaded, so that a death costs no start.

``python -m tests.mortals`` is that process. It holds no connection to the database; each fork opens its own.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]


class Mortals:
    """Runs functions ``main`` of test modules, each call in a process of its own, in the database and vault given."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mortals"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, module: str, *arguments: str | int) -> int:
        """Return the exit status: 0, 1 after an exception (its traceback is printed), minus the signal of a death."""
        from django.db import connection

        from datasets.blobs.store import get_store

        place = [str(connection.settings_dict["NAME"]), str(get_store().root)]
        assert self._process.stdin and self._process.stdout
        print(json.dumps([module, place, arguments]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def main() -> None:
    import django
    from django.conf import settings

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ["DJANGO_SETTINGS_MODULE"] = "deepcap.settings.testing"
    django.setup()
    for line in sys.stdin:
        name, (database, objects), arguments = json.loads(line)
        module = importlib.import_module(name)
        worker = os.fork()
        if not worker:
            settings.DATABASES["default"]["NAME"] = database
            settings.STORAGES["vault"]["OPTIONS"]["location"] = objects
            _live(module.main, arguments)
        print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]), file=answers, flush=True)
    shutil.rmtree(settings.DATA_DIR)


def _live(function, arguments) -> None:
    """Call the function and end this process, with nothing that the one it was forked from would do at its end."""
    status = 1
    try:
        function(*arguments)
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


if __name__ == "__main__":
    main()
