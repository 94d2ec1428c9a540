"""A worker that evaluates predictions and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from tests.death import Death
from usage.evaluation import run


def main(evaluation_id: int, moment: int) -> None:
    """Run an evaluation. Moments are statements; at moment 0 nobody is killed."""
    with connection.execute_wrapper(Death(moment, events=()).at_statement):
        run(evaluation_id)
