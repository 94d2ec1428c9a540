"""What operators do about work and counts, beyond what owners may: each is written to the audit log."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.deletion.work import runnable
from datasets.errors import WrongState
from datasets.ingest import pipeline
from datasets.ingest.pipeline import Announcement
from datasets.ingest.recount import recount
from datasets.models import Dataset, DatasetStatus, Deletion, Ingest
from datasets.tasks import announce, run_deletion
from deepcap.accounts.models import User
from deepcap.accounts.services import record


@transaction.atomic
def resend_ingest(*, ingest: Ingest, by: User) -> int:
    """Tell workers of an ingest once more; return how many messages that takes. Doing it in vain does no harm.

    Raises WrongState when there is nothing in it that a worker could take now.
    """
    one_worker = Ingest.objects.filter(pk=ingest.pk, stage__in=pipeline.SINGLE_WORKER_STAGES)
    if one_worker.claimable().exists():
        what = Announcement(ingest.pk, advance=True)
    else:
        what = pipeline.waiting(ingest.pk, readers=settings.DEEPCAP_INGEST_WIDTH)
    if what is None:
        raise WrongState(_("Nothing in this ingest waits for a worker."))
    Ingest.objects.filter(pk=ingest.pk).update(sent_at=timezone.now())
    messages = what.readers + what.advance
    record(actor=by, action="dataset.work_resent", target=ingest.dataset, messages=messages)
    transaction.on_commit(partial(announce, what))
    return messages


@transaction.atomic
def resend_deletion(*, deletion: Deletion, by: User) -> None:
    """Have a deletion go on now, also one that waits after a fault. Raises WrongState when it is done or cannot begin.

    One that a worker holds is left to that worker: the message finds nothing to claim.
    """
    now = timezone.now()
    if not runnable().filter(pk=deletion.pk).update(sent_at=now):
        raise WrongState(_("This deletion is done, was undone, or can still be restored."))
    Deletion.objects.filter(pk=deletion.pk, lease_token=None, lease_until__gt=now).update(lease_until=now)
    record(actor=by, action="deletion.work_resent", target=deletion)
    run_deletion.delay_on_commit(deletion.pk)


def recount_dataset(*, dataset: Dataset, by: User) -> dict[str, tuple[object, object]]:
    """Compare a settled dataset's stored counts with its rows and correct them; return {field: (stored, counted)}.

    Raises WrongState while the dataset is being prepared or deleted.
    """
    if dataset.status not in (DatasetStatus.AVAILABLE, DatasetStatus.PREPARATION_FAILED):
        raise WrongState(_("The dataset is being prepared or deleted: its counts are not settled."))
    with transaction.atomic():
        wrong = recount(dataset.pk)
        record(
            actor=by, action="dataset.recounted", target=dataset, wrong={field: list(wrong[field]) for field in wrong}
        )
    return wrong
