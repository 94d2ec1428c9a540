"""A worker that works on one ingest and is killed at a given moment: ``killed.py DATABASE OBJECTS INGEST MOMENT``.

Moments are statements, and files put in place, counted from 1. At moment 0 nobody is killed, and the worker goes on
until nothing waits. SIGKILL, sent by the process itself, leaves it no more time than a power cut.
"""

from __future__ import annotations

import sys

import django
from django.conf import settings

from tests.death import Death

MEMBERS_PER_BATCH = 10


def main(database: str, objects: str, ingest_id: int, moment: int) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.STORAGES["vault"]["OPTIONS"]["location"] = objects
    django.setup()

    from django.db import connection

    from datasets.ingest import index, pipeline

    index.MEMBERS_PER_BATCH = MEMBERS_PER_BATCH
    death = Death(moment, events=("os.link", "os.rename"))
    with connection.execute_wrapper(death.at_statement):
        while announcement := pipeline.waiting(ingest_id) or next(iter(pipeline.due()), None):
            (pipeline.advance if announcement.advance else pipeline.read_next)(ingest_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
