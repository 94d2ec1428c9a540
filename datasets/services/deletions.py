"""What people do to be rid of data: ask for it, with their word on it; think better of it while that is possible."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets import hooks
from datasets.deletion import hide, impact, unhide
from datasets.errors import ConfirmationRequired, NotTheOwner, WrongState
from datasets.models import Dataset, Deletion, DeletionStage
from datasets.tasks import advance_ingest, run_deletion
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common import cascade
from deepcap.common.deadlocks import again_after_deadlock
from deepcap.common.errors import Conflict
from deepcap.common.leases import WorkState

from .datasets import unique_name

CONFIRMATION = "DELETE"
ROUNDS = 10


def delete_dataset(*, dataset: Dataset, by: User, confirmation: object) -> Deletion:
    """Take ``dataset`` off every list, cancel what is being read into it, and have it erased with all that is under it.

    Asked again, the deletion that is under way is returned. Raises ConfirmationRequired unless ``confirmation`` is
    exactly "DELETE", and NotTheOwner.
    """
    _require_right(owner_id=dataset.owner_id, by=by)
    require_confirmation(confirmation)
    expected = impact(dataset)
    # What is being read into the dataset takes some of the same locks.
    deletion = again_after_deadlock(lambda: _hide_and_request(dataset, by=by, impact=expected))
    if deletion is None:
        return _open_deletion(dataset)
    dataset.refresh_from_db()
    return deletion


def request_deletion(
    *,
    target: models.Model,
    name: str,
    owner: User,
    by: User,
    impact: Mapping[str, int],
    status_before: str = "",
) -> Deletion:
    """Have ``target`` erased with all that hangs under it: now, or when ``DEEPCAP_TRASH_DAYS`` have passed.

    For any row of any room. The caller has made sure that ``by`` may do this and has confirmed it, and has hidden the
    target in the same transaction. Raises Conflict when something that would not go along holds on to it.
    """
    if holders := cascade.protected(target):
        names = ", ".join(f"{count} × {label}" for label, count in sorted(holders.items()))
        raise Conflict(_("This is still needed by: %(names)s.") % {"names": names}, code="still_needed")
    waits = timedelta(days=settings.DEEPCAP_TRASH_DAYS)
    deletion = Deletion.objects.create(
        target_type=target._meta.label_lower,
        target_id=target.pk,
        target_name=name[:200],
        owner=owner,
        requested_by=by,
        requested_by_name=by.username,
        stage=DeletionStage.WAITING if waits else DeletionStage.ROWS,
        restorable_until=timezone.now() + waits if waits else None,
        status_before=status_before,
        impact=dict(impact),
        sent_at=None if waits else timezone.now(),
    )
    action = f"{target._meta.model_name}.deletion_requested"
    record(actor=by, action=action, target=target, name=name, deletion=deletion.pk, impact=dict(impact))
    for do in hooks.deletions_requested:
        do(target, by=by)
    if not waits:
        run_deletion.delay_on_commit(deletion.pk)
    return deletion


def restore(*, deletion: Deletion, by: User) -> models.Model:
    """Undo a deletion of a row of any room that has not begun, and return the row.

    Raises what its room refuses it with, and WrongState for rows that cannot be restored.
    """
    if deletion.target_type == Dataset._meta.label_lower:
        return restore_dataset(deletion=deletion, by=by)
    if deletion.target_type not in hooks.restorers:
        raise WrongState(_("This cannot be restored."))
    return hooks.restorers[deletion.target_type](deletion=deletion, by=by)


def restore_dataset(*, deletion: Deletion, by: User) -> Dataset:
    """Undo a deletion that has not begun, and return the dataset as it was.

    It is called "name (2)" if its name was taken meanwhile. What was being prepared when it was deleted ends like a
    cancelled preparation. Raises NotTheOwner, and WrongState when it is too late.
    """
    _require_right(owner_id=deletion.owner_id, by=by)
    for _round in range(ROUNDS):
        dataset = Dataset.objects.select_related("owner").filter(pk=deletion.target_id).first()
        name = unique_name(owner=dataset.owner, name=dataset.name) if dataset else ""
        try:
            return _restore(deletion, by=by, name=name)
        except IntegrityError:
            if unique_name(owner=dataset.owner, name=name) == name:
                raise
    raise Conflict(_("The dataset's name is being taken again and again. Try again."), code="name_taken")


def require_confirmation(word: object) -> None:
    """Pass if the person has typed the word, exactly. Raises ConfirmationRequired."""
    if word != CONFIRMATION:
        raise ConfirmationRequired


@transaction.atomic
def _hide_and_request(dataset: Dataset, *, by: User, impact: Mapping[str, int]) -> Deletion | None:
    """Hide the dataset and order its deletion; None when that has been done before."""
    status_before = hide(dataset)
    if status_before is None:
        return None
    return request_deletion(
        target=dataset, name=dataset.name, owner=dataset.owner, by=by, impact=impact, status_before=status_before
    )


@transaction.atomic
def _restore(deletion: Deletion, *, by: User, name: str) -> Dataset:
    restored = Deletion.objects.filter(
        pk=deletion.pk,
        target_type=Dataset._meta.label_lower,
        stage=DeletionStage.WAITING,
        state=WorkState.PENDING,
        restorable_until__gt=timezone.now(),
    ).update(stage=DeletionStage.RESTORED, state=WorkState.CANCELLED, finished_at=timezone.now())
    if not restored:
        raise WrongState(_("It is too late: this cannot be restored any more."))
    ingest_id = unhide(deletion.target_id, status_before=deletion.status_before, name=name)
    dataset = Dataset.objects.get(pk=deletion.target_id)
    record(actor=by, action="dataset.restored", target=dataset, deletion=deletion.pk)
    for do in hooks.deletions_undone:
        do(dataset, by=by)
    if ingest_id is not None:
        advance_ingest.delay_on_commit(ingest_id)
    return dataset


def _open_deletion(dataset: Dataset) -> Deletion:
    """Return the deletion that is under way, or the last one when its row is just gone."""
    deletion = Deletion.objects.filter(target_type=Dataset._meta.label_lower, target_id=dataset.pk).first()
    if deletion is None:
        raise WrongState(_("This dataset does not exist any more."))
    return deletion


def _require_right(*, owner_id: int | None, by: User) -> None:
    if owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
