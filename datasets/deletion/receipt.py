"""What remains of a deletion, in the words of the contract."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from datasets.models import Deletion, DeletionStage

from .kinds import IMPACT_KEYS

STATUS = {
    DeletionStage.WAITING: "waiting",
    DeletionStage.ROWS: "running",
    DeletionStage.OBJECTS: "running",
    DeletionStage.DONE: "done",
    DeletionStage.RESTORED: "restored",
}


class Receipt(TypedDict):
    id: int
    status: str
    target_type: str
    target_id: int
    target_name: str
    impact: dict[str, int]
    counts: dict[str, int]
    objects_removed: int
    bytes_removed: int
    requested_by: str
    requested_at: datetime
    restorable_until: datetime | None
    finished_at: datetime | None


def receipt(deletion: Deletion) -> Receipt:
    """Say what was asked for and what has gone so far: rows by kind, objects and bytes of the storage.

    ``status`` is "waiting" while it can be restored, then "running", and "done" for good; or "restored".
    """
    return {
        "id": deletion.pk,
        "status": STATUS[DeletionStage(deletion.stage)],
        "target_type": deletion.target_type,
        "target_id": deletion.target_id,
        "target_name": deletion.target_name,
        "impact": deletion.impact,
        "counts": {**dict.fromkeys(IMPACT_KEYS, 0), **deletion.counts},
        "objects_removed": deletion.objects_removed,
        "bytes_removed": deletion.bytes_removed,
        "requested_by": deletion.requested_by_name,
        "requested_at": deletion.requested_at,
        "restorable_until": deletion.restorable_until,
        "finished_at": deletion.finished_at,
    }
