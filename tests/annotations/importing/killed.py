"""A worker that reads labels and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from annotations.importing import rows, work
from datasets.ingest import pipeline
from datasets.models import Ingest
from tests.death import Death


def main(dataset_id: int, moment: int) -> None:
    """Work until nothing waits: the ingest of the dataset, and imports into it.

    Moments are statements, and files put in place; at moment 0 nobody is killed.
    """
    rows.ROWS_PER_CHUNK = 20
    ingest = Ingest.objects.get(dataset=dataset_id).pk
    death = Death(moment, events=("os.link", "os.rename"))
    with connection.execute_wrapper(death.at_statement):
        while announcement := pipeline.waiting(ingest) or next(iter(pipeline.due()), None):
            (pipeline.advance if announcement.advance else pipeline.read_next)(ingest)
        while due := work.due():
            for import_id in due:
                due += work.run(import_id)
