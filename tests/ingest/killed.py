"""A worker that works on one ingest and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from datasets.ingest import index, pipeline
from tests.death import Death

MEMBERS_PER_BATCH = 10


def main(ingest_id: int, moment: int) -> None:
    """Work until nothing waits. Moments are statements, and files put in place; at moment 0 nobody is killed."""
    index.MEMBERS_PER_BATCH = MEMBERS_PER_BATCH
    death = Death(moment, events=("os.link", "os.rename"))
    with connection.execute_wrapper(death.at_statement):
        while announcement := pipeline.waiting(ingest_id) or next(iter(pipeline.due()), None):
            (pipeline.advance if announcement.advance else pipeline.read_next)(ingest_id)
