"""What people do to be rid of annotation data, with their word on it."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.importing.cancel import cancel_under
from annotations.importing.creation import unique_name
from annotations.models import AnnotationData, AnnotationDataStatus
from annotations.statistics import count_of_dataset
from datasets import hooks
from datasets.deletion.kinds import IMPACT_KEYS, key_of
from datasets.errors import WrongState
from datasets.models import DatasetStatus, Deletion, DeletionStage
from datasets.services.deletions import request_deletion, require_confirmation
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common import cascade
from deepcap.common.errors import Conflict
from deepcap.common.leases import WorkState

from .annotation_data import require_owner

ROUNDS = 10


def annotation_data_impact(annotation_data: AnnotationData) -> dict[str, int]:
    """Return how many rows of each kind go with the annotation data, themselves included; annotations as stored."""
    stored = {"annotation_data": 1, "annotations": annotation_data.annotation_count}
    wanted = {
        table: key
        for table in cascade.Graph(AnnotationData).tables
        if (key := key_of(table)) in IMPACT_KEYS and key not in stored
    }
    found = cascade.count(annotation_data, only=wanted) if wanted else {}
    counts = dict.fromkeys((key for key in IMPACT_KEYS if key not in ("studies", "images")), 0) | stored
    for table, key in wanted.items():
        counts[key] += found.get(table._meta.label, 0)
    return counts


def delete_annotation_data(*, annotation_data: AnnotationData, by: User, confirmation: object) -> Deletion:
    """Take annotation data off every list, stop what reads into them, and have them erased with all under them.

    Asked again, the deletion that is under way is returned. Raises ConfirmationRequired unless ``confirmation`` is
    exactly "DELETE", and NotTheOwner.
    """
    require_owner(annotation_data, by=by)
    require_confirmation(confirmation)
    expected = annotation_data_impact(annotation_data)
    with transaction.atomic():
        cancel_under(annotation_data, by=by)  # before the data: an import that ends takes these locks in this order
        alive = AnnotationData.objects.select_for_update().filter(pk=annotation_data.pk)
        status = alive.exclude(status=AnnotationDataStatus.DELETING).values_list("status", flat=True).first()
        if status is None:
            return _open_deletion(annotation_data)
        alive.update(status=AnnotationDataStatus.DELETING)
        count_of_dataset(annotation_data.dataset_id)
        deletion = request_deletion(
            target=annotation_data,
            name=annotation_data.name,
            owner=annotation_data.dataset.owner,
            by=by,
            impact=expected,
            status_before=status,
        )
    annotation_data.status = AnnotationDataStatus.DELETING
    return deletion


def restore_annotation_data(*, deletion: Deletion, by: User) -> AnnotationData:
    """Undo a deletion that has not begun; an import that it stopped starts over.

    They are called "name (2)" if their name was taken meanwhile. Raises NotTheOwner, and WrongState if it is too late.
    """
    for _round in range(ROUNDS):
        data = AnnotationData.objects.select_related("dataset").filter(pk=deletion.target_id).first()
        if data is None or data.dataset.status == DatasetStatus.DELETING:
            raise _too_late()
        require_owner(data, by=by)
        name = unique_name(dataset_id=data.dataset_id, name=data.name)
        try:
            return _restore(deletion, data, by=by, name=name)
        except IntegrityError:
            if unique_name(dataset_id=data.dataset_id, name=name) == name:
                raise
    raise Conflict(_("The name is being taken again and again. Try again."), code="name_taken")


@transaction.atomic
def _restore(deletion: Deletion, data: AnnotationData, *, by: User, name: str) -> AnnotationData:
    restored = Deletion.objects.filter(
        pk=deletion.pk,
        target_type=AnnotationData._meta.label_lower,
        stage=DeletionStage.WAITING,
        state=WorkState.PENDING,
        restorable_until__gt=timezone.now(),
    ).update(stage=DeletionStage.RESTORED, state=WorkState.CANCELLED, finished_at=timezone.now())
    if not restored:
        raise _too_late()
    AnnotationData.objects.filter(pk=data.pk).update(status=deletion.status_before, name=name)
    count_of_dataset(data.dataset_id)
    data.refresh_from_db()
    record(actor=by, action="annotation_data.restored", target=data, deletion=deletion.pk)
    for do in hooks.deletions_undone:
        do(data, by=by)
    return data


def _open_deletion(annotation_data: AnnotationData) -> Deletion:
    """Return the deletion that is under way, or the last one when the row is just gone."""
    deletion = Deletion.objects.filter(
        target_type=AnnotationData._meta.label_lower, target_id=annotation_data.pk
    ).first()
    if deletion is None:
        raise WrongState(_("These annotation data do not exist any more."))
    return deletion


def _too_late() -> WrongState:
    return WrongState(_("It is too late: this cannot be restored any more."))
