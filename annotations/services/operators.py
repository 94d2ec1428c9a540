"""What operators do about work and counts, beyond what owners may: each is written to the audit log."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, AnnotationDataStatus, LabelImport
from annotations.statistics.recount import SETTLED
from annotations.tasks import recount_annotation_data, run_import
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.leases import OPEN_STATES, WorkState


@transaction.atomic
def resend_import(*, label_import: LabelImport, by: User) -> None:
    """Tell workers of an import once more; doing it in vain does no harm. Raises WrongState when it is not open."""
    waiting = LabelImport.objects.filter(pk=label_import.pk).claimable()
    if not waiting.update(sent_at=timezone.now()):
        raise WrongState(_("This import does not wait for a worker."))
    record(actor=by, action="label_import.work_resent", target=label_import)
    run_import.delay_on_commit(label_import.pk)


@transaction.atomic
def cancel_import(*, label_import: LabelImport, by: User) -> None:
    """Take an import from its worker; its annotation data have failed. Raises WrongState when it is not open."""
    stopped = LabelImport.objects.filter(pk=label_import.pk, state__in=OPEN_STATES).update(
        state=WorkState.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
    )
    if not stopped:
        raise WrongState(_("This import is not under way."))
    AnnotationData.objects.filter(label_import=label_import, status=AnnotationDataStatus.IMPORTING).update(
        status=AnnotationDataStatus.IMPORT_FAILED, status_detail=_("The import was cancelled.")
    )
    record(actor=by, action="label_import.cancelled", target=label_import)


@transaction.atomic
def order_recount(*, annotation_data: AnnotationData, by: User) -> None:
    """Have a worker compare the stored counts with the rows. Raises WrongState while they are being made."""
    if annotation_data.status not in SETTLED:
        raise WrongState(_("What is being imported or deleted is counted when it is done."))
    record(actor=by, action="annotation_data.recount_ordered", target=annotation_data)
    recount_annotation_data.delay_on_commit(annotation_data.pk)
