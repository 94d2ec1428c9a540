"""A worker that combines and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from annotations.combine import work
from tests.death import Death


def main(combination_id: int, moment: int) -> None:
    """Run a combination. Moments are statements; at moment 0 nobody is killed."""
    work.IMAGES_PER_PIECE = work.LISTED_PER_PIECE = 2
    with connection.execute_wrapper(Death(moment, events=()).at_statement):
        work.run(combination_id)
