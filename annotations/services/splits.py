"""What people make of a dataset to train on it: parts of it, with nobody in two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from annotations.combine.split import Item, leaks, split
from annotations.errors import CombinationRefused, NotTheOwner
from annotations.models import Annotation, AnnotationData
from datasets.models import Dataset, Image, Study
from deepcap.accounts.models import User

from .combinations import Wanted, combine_datasets


@dataclass(frozen=True)
class Split:
    """The parts while they are being made. ``without_patient`` studies have nobody's name in them: only their bytes
    could be compared. ``leaks`` is how many patients and bytes are in several parts all the same: none."""

    parts: Mapping[str, Dataset]
    without_patient: int
    leaks: int


def split_dataset(
    *,
    dataset: Dataset,
    by: User,
    shares: Mapping[str, float],
    seed: int = 0,
    annotation_data: AnnotationData | None = None,
) -> Split:
    """Have a new dataset made of each part of ``dataset``, called "name – part".

    Studies of one patient, or with the same bytes, are in one part; labels of ``annotation_data`` are in proportion.
    The same seed gives the same parts. Raises NotTheOwner, CombinationRefused, and what combining raises.
    """
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
    items = items_of(dataset, annotation_data)
    try:
        parts = split(items, shares=shares, seed=seed)
    except ValueError as error:
        message = _("At least two parts are needed, each with a positive share.")
        raise CombinationRefused(message, code="shares_invalid") from error
    if not all(parts.values()):
        raise CombinationRefused(_("There are too few studies: a part would be empty."), code="part_empty")
    data_id = annotation_data.pk if annotation_data else None
    with transaction.atomic():
        made = {
            part: combine_datasets(
                wanted=Wanted([{"dataset": dataset.pk, "annotation_data": data_id, "studies": studies}]),
                by=by,
                name=f"{dataset.name[:150]} – {part}",
                annotation_data_name=annotation_data.name if annotation_data else None,
            )
            for part, studies in parts.items()
        }
    named = Study.objects.filter(dataset=dataset).exclude(patient_key="").count()
    return Split(made, without_patient=len(items) - named, leaks=len(leaks(items, parts)))


def items_of(dataset: Dataset, annotation_data: AnnotationData | None) -> list[Item]:
    """Return the studies in display order with what ties them together and the labels they have: three queries."""
    ties: dict[int, set[Hashable]] = defaultdict(set)
    studies = list(Study.objects.filter(dataset=dataset).order_by("position").values_list("pk", "patient_key"))
    for study, blob in Image.objects.filter(dataset=dataset).values_list("study", "blob").iterator():
        ties[study].add(blob)
    for study, key in studies:
        if key:
            ties[study].add(key)
    labels: dict[int, set[str]] = defaultdict(set)
    if annotation_data is not None:
        having = Annotation.objects.filter(Q(value=None) | Q(value=1), item__annotation_data=annotation_data)
        for study, label in having.values_list("item__image__study", "label__name").distinct():
            labels[study].add(label)
    return [Item(study, frozenset(ties[study]), frozenset(labels[study])) for study, _key in studies]
