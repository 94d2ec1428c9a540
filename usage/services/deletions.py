"""Deleting a project, a job, a task or an inference, and ending such work when what it stands on is deleted."""

from __future__ import annotations

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.deletion.kinds import key_of
from datasets.errors import WrongState
from datasets.models import Deletion, DeletionStage
from datasets.services.deletions import request_deletion, require_confirmation
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common import cascade
from deepcap.common.leases import WorkState
from usage.counting import count
from usage.evaluation import cancel_under, resume_under
from usage.models import (
    DELETING,
    TRANSITIONS,
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    ServiceWork,
    TrainingTask,
)
from usage.progress import count_project
from usage.under import counted_by, under

from .affected import tell_people
from .rules import dataset_of, require_owner
from .titles import title_of

RECORDS: tuple[type[models.Model], ...] = (AnnotationProject, AnnotationJob, TrainingTask, InferenceJob)
KINDS = ("annotation_projects", "annotation_jobs", "training_tasks", "inference_jobs")


def usage_impact(row: models.Model) -> dict[str, int]:
    """Return how many rows of each kind people are told of would go with ``row``, itself included."""
    tables = {table: key_of(table) for table in cascade.Graph(type(row)).tables}
    found = cascade.count(row, only=[table for table, key in tables.items() if key in KINDS])
    counts = dict.fromkeys(KINDS, 0)
    for table, key in tables.items():
        if key in counts:
            counts[key] += found.get(table._meta.label, 0)
    return counts


def delete_usage(*, row: models.Model, by: User, confirmation: object) -> Deletion:
    """Take a project, job, task or inference off every list, cancel its work, and have it erased with all under it.

    Asked again, the deletion that is under way is returned. Raises ConfirmationRequired, NotTheOwner.
    """
    require_owner(row, by)
    require_confirmation(confirmation)
    expected = usage_impact(row)
    table = type(row)
    with transaction.atomic():
        # Not against keys: who evaluates an inference refers to it while holding what end_work_under waits for.
        status = table.objects.select_for_update(no_key=True).filter(pk=row.pk).values_list("status", flat=True).first()
        if status in (None, DELETING):
            return _open_deletion(row)
        stop = TRANSITIONS[table]["stop"]
        ended = {"lease_until": None} if issubclass(table, ServiceWork) else {}
        table.objects.filter(pk=row.pk).update(status=DELETING, **ended)
        deletion = request_deletion(
            target=row,
            name=title_of(row)[:200],
            owner=dataset_of(row).owner,
            by=by,
            impact=expected,
            status_before=stop.target if status in stop.sources else status,
        )
    row.refresh_from_db()
    return deletion


@transaction.atomic
def restore_usage(*, deletion: Deletion, by: User) -> models.Model:
    """Undo a deletion that has not begun; what was under way when it was deleted is stopped.

    Raises NotTheOwner, and WrongState when it is too late.
    """
    table = {table._meta.label_lower: table for table in RECORDS}[deletion.target_type]
    row = table.objects.filter(pk=deletion.target_id).first()
    restored = Deletion.objects.filter(
        pk=deletion.pk, stage=DeletionStage.WAITING, state=WorkState.PENDING, restorable_until__gt=timezone.now()
    )
    if row is None or not restored.exists():
        raise WrongState(_("It is too late: this cannot be restored any more."))
    require_owner(row, by)
    restored.update(stage=DeletionStage.RESTORED, state=WorkState.CANCELLED, finished_at=timezone.now())
    try:
        with transaction.atomic():
            table.objects.filter(pk=row.pk, status=DELETING).update(status=deletion.status_before)
    except IntegrityError:
        raise WrongState(_("There is another one in its place by now: this cannot be restored any more.")) from None
    row.refresh_from_db()
    record(actor=by, action=f"{table._meta.model_name}.restored", target=row, deletion=deletion.pk)
    resume_work_under(row, by=by)
    return row


def end_work_under(target: models.Model, *, by: User) -> None:
    """What is under way on ``target``, which has just been hidden, is stopped, and nothing counts it any more.

    Its services are told at their next heartbeat; the people whose work it was, by a notification and an e-mail.
    """
    rows_by_table = under(target)
    if not rows_by_table:
        return
    cancel_under(target)
    for table, rows in rows_by_table.items():
        stop = TRANSITIONS[table]["stop"]
        ended = {"lease_until": None} if issubclass(table, ServiceWork) else {}
        rows.filter(status__in=stop.sources).update(status=stop.target, finished_at=timezone.now(), **ended)
    tell_people(target, rows_by_table, by=by)
    count_again(target, by=by)


def resume_work_under(target: models.Model, *, by: User) -> None:
    """What is restored is counted again, and what was being measured in it is measured from the start."""
    resume_under(target)
    count_again(target, by=by)


def count_again(target: models.Model, *, by: User) -> None:
    """Write the counts of everything that counts ``target`` or what hangs under it."""
    counted = counted_by(target)
    count(counted)
    if isinstance(target, AnnotationJob):
        count_project(target.project)


def _open_deletion(row: models.Model) -> Deletion:
    deletion = Deletion.objects.filter(target_type=row._meta.label_lower, target_id=row.pk).first()
    if deletion is None:
        raise WrongState(_("This does not exist any more."))
    return deletion
