"""Naming annotation data."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotations.errors import NotTheOwner
from annotations.importing.creation import NAME_LENGTH
from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.errors import ValueRefused
from datasets.services.datasets import clean_name
from deepcap.accounts.models import User
from deepcap.accounts.services import record

__all__ = ["NAME_LENGTH", "clean_name", "rename_annotation_data", "require_owner"]


def rename_annotation_data(*, annotation_data: AnnotationData, by: User, name: str) -> AnnotationData:
    """Give annotation data another name. Raises ValueRefused, also for a name that others of the dataset have."""
    require_owner(annotation_data, by=by)
    name = clean_name(name)
    if name == annotation_data.name:
        return annotation_data
    try:
        with transaction.atomic():
            AnnotationData.objects.filter(pk=annotation_data.pk).update(name=name)
            record(actor=by, action="annotation_data.renamed", target=annotation_data, new_name=name)
    except IntegrityError as error:
        others = AnnotationData.objects.filter(dataset=annotation_data.dataset_id, name=name)
        if not others.exclude(status=AnnotationDataStatus.DELETING).exists():
            raise
        message = _("This dataset already has annotation data with this name.")
        raise ValueRefused("name", message, code="name_taken") from error
    annotation_data.name = name
    return annotation_data


def require_owner(annotation_data: AnnotationData, *, by: User) -> None:
    """Pass for the owner of the dataset and for operators. Raises NotTheOwner."""
    if annotation_data.dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
