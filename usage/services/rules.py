"""Who may do what, and what values are acceptable: the same for all four records."""

from __future__ import annotations

import unicodedata

from django.db import models
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, AnnotationDataStatus, Split
from datasets.errors import NotTheOwner, ValueRefused
from datasets.models import Dataset, DatasetStatus
from deepcap.accounts.models import User
from usage.errors import NotUsable, TrainingNeedsAnnotationData
from usage.models import (
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    MemberState,
    ProjectMember,
    TrainingTask,
)

NAME_LENGTH = 200
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}


def clean_name(name: str) -> str:
    """Return ``name`` without the space around it. Raises ValueRefused if it is empty, too long or unprintable."""
    name = name.strip()
    if not name:
        raise ValueRefused("name", _("A name is needed."), code="name_invalid")
    if len(name) > NAME_LENGTH:
        message = _("A name has at most %(most)d characters.") % {"most": NAME_LENGTH}
        raise ValueRefused("name", message, code="name_invalid")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise ValueRefused("name", _("A name cannot contain control characters."), code="name_invalid")
    return name


def dataset_of(row: models.Model) -> Dataset:
    """Return the dataset whose owner decides about ``row``."""
    if isinstance(row, AnnotationJob):
        return row.project.dataset
    if isinstance(row, TrainingTask):
        return row.annotation_data.dataset
    assert isinstance(row, AnnotationProject | InferenceJob)
    return row.dataset


def require_owner(row: models.Model, by: User) -> None:
    """Pass for the owner of the dataset that ``row`` belongs to, and for operators. Raises NotTheOwner."""
    require_ownership(dataset_of(row), by)


def require_worker(row: models.Model, by: User) -> None:
    """Pass for the owner, and for the person whose job it is while they are active. Raises NotTheOwner."""
    if not (isinstance(row, AnnotationJob) and row.assignee_id == by.pk and is_active(row)):
        require_owner(row, by)


def is_active(job: AnnotationJob) -> bool:
    """Tell whether the person whose job it is has been neither suspended in its project nor removed from it."""
    return ProjectMember.objects.filter(
        project=job.project_id, user=job.assignee_id, role=job.role, state=MemberState.ACTIVE
    ).exists()


def require_ownership(dataset: Dataset, by: User) -> None:
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner


def hold_dataset(dataset: Dataset) -> None:
    """Keep ``dataset`` from being deleted until the transaction ends. Raises NotUsable unless it is available."""
    held = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.pk, status=DatasetStatus.AVAILABLE)
    if not held.exists():
        raise NotUsable(_("The dataset is not available: it is being prepared, its preparation failed, or it is gone."))


def hold_annotation_data(annotation_data: AnnotationData) -> None:
    """Keep ``annotation_data`` and their dataset from being deleted until the transaction ends. Raises NotUsable."""
    hold_dataset(annotation_data.dataset)
    held = AnnotationData.objects.select_for_update(no_key=True).filter(
        pk=annotation_data.pk, status=AnnotationDataStatus.AVAILABLE
    )
    if not held.exists():
        raise NotUsable(_("These annotation data are not available: they are being imported, failed, or are gone."))


def hold_split(split: Split, annotation_data: AnnotationData) -> None:
    """Keep ``split`` from being deleted until the transaction ends. Raises ValueRefused if it is not theirs."""
    held = Split.objects.select_for_update(no_key=True).filter(pk=split.pk, annotation_data=annotation_data)
    if not held.exists():
        raise ValueRefused("split", _("These annotation data do not have this split."), code="split_unknown")


def require_annotation_data(annotation_data: AnnotationData | None) -> AnnotationData:
    """The training gate. Raises TrainingNeedsAnnotationData; the database would refuse it, too."""
    if annotation_data is None:
        raise TrainingNeedsAnnotationData
    return annotation_data
