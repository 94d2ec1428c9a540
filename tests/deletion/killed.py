"""A worker that runs one deletion and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from datasets.deletion import run
from deepcap.common import cascade
from tests.death import Death


def main(deletion_id: int, moment: int) -> None:
    """Run a deletion. Moments are statements and removals of files; at moment 0 nobody is killed."""
    cascade.ROWS_PER_TRANSACTION = 8
    death = Death(moment, events=("os.remove",))
    with connection.execute_wrapper(death.at_statement):
        run(deletion_id)
