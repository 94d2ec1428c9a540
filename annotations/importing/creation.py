"""Annotation data come into being: under a name that is free in their dataset, counted by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, AnnotationDataStatus, SourceKind
from annotations.statistics import count_of_dataset
from datasets.models import Dataset
from deepcap.accounts.models import User
from deepcap.common.errors import Conflict

NAME_LENGTH = 200
ROUNDS = 10


def create(
    *,
    dataset: Dataset,
    name: str,
    by: User | None,
    annotation_type: str = "",
    status: AnnotationDataStatus = AnnotationDataStatus.IMPORTING,
    source_kind: SourceKind = SourceKind.LOCAL_UPLOAD,
    source_detail: Mapping[str, Any] | None = None,
) -> AnnotationData:
    """Return new annotation data without annotations, called ``name`` or "name (n)" with the lowest free n from 2."""
    for _round in range(ROUNDS):
        free = unique_name(dataset_id=dataset.pk, name=name)
        try:
            with transaction.atomic():
                made = AnnotationData.objects.create(
                    dataset=dataset,
                    name=free,
                    annotation_type=annotation_type,
                    status=status,
                    source_kind=source_kind,
                    source_detail=dict(source_detail or {}),
                    created_by=by,
                )
                count_of_dataset(dataset.pk)
                return made
        except IntegrityError:
            if unique_name(dataset_id=dataset.pk, name=free) == free:
                raise
    raise Conflict(_("Many annotation data of this name are being made at this moment. Try again."), code="name_taken")


def unique_name(*, dataset_id: int, name: str) -> str:
    """Return ``name``, or "name (n)" with the lowest free n from 2. Others may take it before it is used."""
    name = name[:NAME_LENGTH]
    taken = set(
        AnnotationData.objects.filter(dataset=dataset_id, name__startswith=name[: NAME_LENGTH - 12])
        .exclude(status=AnnotationDataStatus.DELETING)
        .values_list("name", flat=True)
    )
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f" ({number})"
        candidate = name[: NAME_LENGTH - len(suffix)] + suffix
    return candidate


def name_in(dataset: Dataset, suffix: str) -> str:
    """Return the dataset's name with ``suffix`` behind it, cut so that the suffix stays."""
    suffix = suffix[:100]
    return dataset.name[: NAME_LENGTH - len(suffix)] + suffix
