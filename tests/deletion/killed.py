"""A worker that runs one deletion and is killed at a given moment: ``killed.py DATABASE OBJECTS DELETION MOMENT``.

Moments are statements and removals of files, counted from 1; odd ones are killed just before, even statements just
after. At moment 0 nobody is killed. SIGKILL, sent by the process itself, leaves it no more time than a power cut.
"""

import sys

import django
from django.conf import settings

from tests.death import Death


def main(database: str, objects: str, deletion_id: int, moment: int) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.STORAGES["vault"]["OPTIONS"]["location"] = objects
    django.setup()

    from django.db import connection

    from datasets.deletion import run
    from deepcap.common import cascade

    cascade.ROWS_PER_TRANSACTION = 8
    death = Death(moment, events=("os.remove",))
    with connection.execute_wrapper(death.at_statement):
        run(deletion_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
