"""The bell: tasks take ids, call the work packages, and announce what waits next. Running one twice does no harm."""

from celery import shared_task

from .blobs.sweep import sweep
from .deletion import due_deletions
from .deletion import run as run_deletion_work
from .ingest import pipeline
from .ingest.expiry import expire_uploads
from .ingest.pipeline import Announcement
from .ingest.recount import recount_all


@shared_task
def advance_ingest(ingest_id: int) -> None:
    """Index, or arrange and publish, an ingest."""
    try:
        pipeline.advance(ingest_id)
    finally:
        announce(pipeline.waiting(ingest_id, readers=2**15))


@shared_task
def read_batch(ingest_id: int) -> None:
    """Read one batch of an ingest, then pass the message on while there are more."""
    try:
        pipeline.read_next(ingest_id)
    finally:
        announce(pipeline.waiting(ingest_id))


@shared_task
def run_deletion(deletion_id: int) -> None:
    """Erase, for one turn, then pass the message on while there is more to erase."""
    if run_deletion_work(deletion_id):
        run_deletion.delay(deletion_id)


@shared_task
def sweep_work() -> None:
    """Announce again what nobody works on although somebody could; give up the uploads whose time has run out."""
    for what in pipeline.due():
        announce(what)
    for deletion_id in due_deletions():
        run_deletion.delay(deletion_id)
    expire_uploads()


@shared_task
def sweep_vault() -> None:
    """Remove what nothing refers to any more."""
    sweep()


@shared_task
def recount() -> None:
    """Compare stored counts with the rows they count."""
    recount_all()


def announce(what: Announcement | None) -> None:
    """Tell as many workers as the announcement asks for."""
    if what is None:
        return
    if what.advance:
        advance_ingest.delay(what.ingest_id)
    for _ in range(what.readers):
        read_batch.delay(what.ingest_id)
