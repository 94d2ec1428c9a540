"""Imports end when what they read into is to be deleted, and go on when that is undone."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from annotations.models import AnnotationData, AnnotationDataStatus, LabelImport
from datasets.models import Dataset
from deepcap.accounts.models import User
from deepcap.common.leases import OPEN_STATES, WorkState


def cancel_under(target: models.Model, *, by: User) -> None:
    """Take the imports under ``target`` from their workers; what has been read goes with it."""
    _under(target).filter(state__in=OPEN_STATES).update(
        state=WorkState.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
    )


def resume_under(target: models.Model, *, by: User) -> None:
    """Imports that :func:`cancel_under` ended start over; the sweep finds them."""
    importing = _under(target).filter(state=WorkState.CANCELLED, annotation_data__status=AnnotationDataStatus.IMPORTING)
    importing.update(state=WorkState.PENDING, attempts=0, sent_at=None, finished_at=None)


def _under(target: models.Model) -> models.QuerySet[LabelImport]:
    if isinstance(target, Dataset):
        return LabelImport.objects.filter(dataset=target)
    if isinstance(target, AnnotationData):
        return LabelImport.objects.filter(annotation_data=target)
    return LabelImport.objects.none()
