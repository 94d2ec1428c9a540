"""A worker that runs one deletion and is killed at a given moment: ``killed.py DATABASE OBJECTS DELETION MOMENT``.

Moments are statements and removals of files, counted from 1; odd ones are killed just before, even statements just
after. At moment 0 nobody is killed. SIGKILL, sent by the process itself, leaves it no more time than a power cut.
"""

import os
import signal
import sys

import django
from django.conf import settings


class Death:
    """Comes at the given moment."""

    def __init__(self, moment: int) -> None:
        self.moment, self.now = moment, 0

    def at_statement(self, execute, sql, params, many, context):
        self.now += 1
        if self.now == self.moment and self.moment % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        result = execute(sql, params, many, context)
        if self.now == self.moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def at_removal(self, event: str, arguments: tuple) -> None:
        if event == "os.remove":
            self.now += 1
            if self.now == self.moment:
                os.kill(os.getpid(), signal.SIGKILL)


def main(database: str, objects: str, deletion_id: int, moment: int) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.STORAGES["vault"]["OPTIONS"]["location"] = objects
    django.setup()

    from django.db import connection

    from datasets.deletion import run
    from deepcap.common import cascade

    cascade.ROWS_PER_TRANSACTION = 8
    death = Death(moment)
    sys.addaudithook(death.at_removal)
    with connection.execute_wrapper(death.at_statement):
        run(deletion_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
