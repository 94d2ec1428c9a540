"""A worker's turn at a deletion: rows, then objects, then the receipt is final.

The deletion's row is the queue. It is never given up: after a fault it waits, longer each time, and is tried again.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from datasets.blobs.sweep import drain_removals, settle_page
from datasets.models import Deletion, DeletionStage, StorageRemoval, VaultCandidate
from datasets.models.deletion import DeletionQuerySet
from deepcap.accounts.services import record
from deepcap.common.leases import LeaseLost, WorkState
from deepcap.common.pace import Breath, Pace

from .erase import TurnOver, erase

logger = logging.getLogger(__name__)

TURN = timedelta(minutes=10)  # below the soft limit of a task: other work gets its turn as well
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
DUE_AT_A_TIME = 100
CANDIDATES_PER_TRANSACTION = 1_000


def run(deletion_id: int) -> bool:
    """Take a deletion as far as one turn goes; return whether it should go on at once.

    Killed anywhere and run again, it ends in the same state with the same counts. Does nothing when somebody else
    works on it, or it waits, or it is done. A fault of ours or of the storage is raised, and the deletion left to be
    resumed after a pause.
    """
    deletion = runnable().claim(deletion_id)
    if deletion is None:
        return False
    try:
        if deletion.stage != DeletionStage.OBJECTS:
            deletion.extend_lease(stage=DeletionStage.ROWS)
            erase(deletion, until=time.monotonic() + TURN.total_seconds())
            deletion.extend_lease(stage=DeletionStage.OBJECTS)
        if _remove_objects(deletion, until=time.monotonic() + TURN.total_seconds()):
            _finish(deletion)
        else:
            _pause(deletion, settings.DEEPCAP_BLOB_GRACE, attempts=F("attempts") - 1)
    except TurnOver:
        _pause(deletion, timedelta(0), attempts=F("attempts") - 1)
        return True
    except LeaseLost:
        logger.info("Deletion %s was taken over.", deletion_id)
    except Exception:
        _pause(deletion, min(FIRST_PAUSE * 2 ** min(deletion.attempts - 1, 20), LONGEST_PAUSE))
        raise
    return False


def due() -> list[int]:
    """Find deletions that nobody works on although they could be, and note that they are announced again."""
    now = timezone.now()
    lost = runnable().to_resend(older_than=settings.DEEPCAP_LEASE)
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:DUE_AT_A_TIME])
    Deletion.objects.filter(pk__in=ids).update(sent_at=now)
    return ids


def runnable() -> DeletionQuerySet:
    """Select what is to be erased now: what can still be restored is not."""
    under_way = Q(stage__in=(DeletionStage.ROWS, DeletionStage.OBJECTS))
    return Deletion.objects.filter(under_way | Q(stage=DeletionStage.WAITING, restorable_until__lte=timezone.now()))


def _remove_objects(deletion: Deletion, *, until: float) -> bool:
    """Remove what nothing refers to any more; False when blobs are left that somebody has touched a moment ago."""
    pace, breath = Pace(CANDIDATES_PER_TRANSACTION), Breath()
    after, decided = 0, 0
    while True:
        deletion.extend_lease()
        breath.begin()
        begun = time.monotonic()
        page = settle_page(deletion_id=deletion.pk, limit=pace.size, after=after)
        pace.learn(page.found, time.monotonic() - begun)
        decided += page.decided + drain_removals(deletion_id=deletion.pk, limit=CANDIDATES_PER_TRANSACTION)
        after = page.last
        if not page.found:  # the end was reached: those that had to wait are looked at once more
            if not decided:
                left = VaultCandidate.objects, StorageRemoval.objects
                return not any(rows.filter(deletion=deletion).exists() for rows in left)
            after, decided = 0, 0
        if time.monotonic() >= until:
            raise TurnOver
        breath.take()


@transaction.atomic
def _finish(deletion: Deletion) -> None:
    deletion.release(WorkState.DONE, stage=DeletionStage.DONE, finished_at=timezone.now())
    deletion.refresh_from_db()
    target = apps.get_model(deletion.target_type)(pk=deletion.target_id)
    record(
        actor=deletion.requested_by,
        action=f"{target._meta.model_name}.deleted",
        target=target,
        name=deletion.target_name,
        deletion=deletion.pk,
        counts=deletion.counts,
        objects_removed=deletion.objects_removed,
        bytes_removed=deletion.bytes_removed,
    )


def _pause(deletion: Deletion, pause: timedelta, **values: object) -> None:
    """Hand the deletion back; it is announced again when the pause is over.

    It stays "running", under a lease that nobody holds: that keeps it from being claimed before.
    """
    Deletion.objects.filter(pk=deletion.pk, lease_token=deletion.lease_token).update(
        lease_token=None, lease_until=timezone.now() + pause, sent_at=None, **values
    )
