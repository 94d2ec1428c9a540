"""A worker that makes one annotation data from another and is killed at a given moment; run by ``tests.mortals``."""

from django.db import connection

from annotations.derive import work
from tests.death import Death


def main(derivation_id: int, moment: int) -> None:
    """Run a derivation. Moments are statements; at moment 0 nobody is killed."""
    work.IMAGES_PER_PIECE = 2
    with connection.execute_wrapper(Death(moment, events=()).at_statement):
        work.run(derivation_id)
