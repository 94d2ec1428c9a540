"""A worker that combines and is killed: ``killed.py DATABASE COMBINATION MOMENT``.

Moments are statements, counted from 1; odd ones are killed just before, even ones just after. At moment 0 nobody is
killed. SIGKILL, sent by the process itself, leaves it no more time than a power cut.
"""

import sys

import django
from django.conf import settings

from tests.death import Death


def main(database: str, combination_id: int, moment: int) -> None:
    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from django.db import connection

    from annotations.combine import work

    work.IMAGES_PER_PIECE = work.LISTED_PER_PIECE = 2
    with connection.execute_wrapper(Death(moment, events=()).at_statement):
        work.run(combination_id)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
