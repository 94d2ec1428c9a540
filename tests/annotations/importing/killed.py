"""A worker that reads labels and is killed at a given moment: ``killed.py DATABASE OBJECTS DATASET MOMENT``.

Moments are statements, and files put in place, counted from 1. At moment 0 nobody is killed, and the worker goes on
until nothing waits: the ingest of the dataset, and imports into it.
"""

from __future__ import annotations

import sys

import django
from django.conf import settings

from tests.death import Death


def main(database: str, objects: str, dataset_id: int, moment: int) -> None:
    settings.DATABASES["default"]["NAME"] = database
    settings.STORAGES["vault"]["OPTIONS"]["location"] = objects
    django.setup()

    from django.db import connection

    from annotations.importing import rows, work
    from datasets.ingest import pipeline
    from datasets.models import Ingest

    rows.ROWS_PER_CHUNK = 20
    ingest = Ingest.objects.get(dataset=dataset_id).pk
    death = Death(moment, events=("os.link", "os.rename"))
    with connection.execute_wrapper(death.at_statement):
        while announcement := pipeline.waiting(ingest) or next(iter(pipeline.due()), None):
            (pipeline.advance if announcement.advance else pipeline.read_next)(ingest)
        while due := work.due():
            for import_id in due:
                due += work.run(import_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
