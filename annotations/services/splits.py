"""What people make of annotation data to train on them: parts with nobody in two of them, saved, or as datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.deletion import PROTECT
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.errors import NotTheOwner, SplitInUse
from annotations.models import AnnotationData, AnnotationDataStatus, Split, SplitMember
from datasets.errors import ValueRefused, WrongState
from datasets.models import Dataset, DatasetStatus
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common import cascade
from deepcap.common.bulk import insert_rows

from .annotation_data import clean_name, require_owner
from .combinations import Wanted, combine_datasets
from .split_plans import Plan, Wish, plan_of_data, plan_of_dataset


def preview_split(*, annotation_data: AnnotationData, wish: Wish) -> Plan:
    """Return what :func:`create_split` would save; nothing is written. Raises SplitRefused, and WrongState."""
    return plan_of_data(annotation_data, wish)


def create_split(*, annotation_data: AnnotationData, by: User, name: str, wish: Wish) -> Split:
    """Divide the studies of which images are listed, and keep which is in which part.

    Raises NotTheOwner, SplitRefused, WrongState, and ValueRefused for a name that is taken or none.
    """
    require_owner(annotation_data, by=by)
    name = clean_name(name)
    plan = plan_of_data(annotation_data, wish)
    values = {"seed": wish.seed, "by_patient": wish.by_patient, "stratified": wish.stratify}
    try:
        with transaction.atomic():
            _hold(annotation_data)
            split = Split.objects.create(
                annotation_data=annotation_data,
                name=name,
                study_count=plan.study_count,
                report=plan.report(),
                created_by=by,
                **values,
            )
            rows = ((split.pk, study, place) for place, part in enumerate(plan.parts) for study in part.studies)
            insert_rows(SplitMember, ("split_id", "study_id", "part"), rows)
            record(actor=by, action="split.created", target=split, annotation_data=annotation_data.pk, **values)
    except IntegrityError as error:
        raise _name_taken(annotation_data, name, error) from error
    return split


def rename_split(*, split: Split, by: User, name: str) -> Split:
    """Give a split another name; nothing else of it can change. Raises NotTheOwner, and ValueRefused."""
    require_owner(split.annotation_data, by=by)
    name = clean_name(name)
    try:
        with transaction.atomic():
            Split.objects.filter(pk=split.pk).update(name=name)
            record(actor=by, action="split.renamed", target=split, new_name=name)
    except IntegrityError as error:
        raise _name_taken(split.annotation_data, name, error) from error
    split.name = name
    return split


@transaction.atomic
def delete_split(*, split: Split, by: User) -> None:
    """Forget a split; studies and labels stay. Raises NotTheOwner, and SplitInUse as long as something refers to it."""
    require_owner(split.annotation_data, by=by)
    held = Split.objects.select_for_update().filter(pk=split.pk)
    if not held.exists():
        return
    if uses := sum(cascade.protected(split).values()):
        message = ngettext(
            "%(count)d training task says that it used this split. Delete it first, or keep the split.",
            "%(count)d training tasks say that they used this split. Delete them first, or keep the split.",
            uses,
        )
        raise SplitInUse(message % {"count": uses})
    SplitMember.objects.filter(split=split)._raw_delete(connection.alias)
    Split.objects.filter(pk=split.pk)._raw_delete(connection.alias)
    record(actor=by, action="split.deleted", target=split)


def splits_of(user: User, annotation_data: AnnotationData) -> QuerySet[Split]:
    """Select the splits of annotation data, the newest first, each with ``use_count``: how many rows hold on to it."""
    uses: Any = Value(0)
    for link, on_delete in cascade.links_to(Split):
        if on_delete is PROTECT:
            holding = link.table._base_manager.filter(**{link.field.name: OuterRef("pk")}).order_by()
            number = Subquery(holding.values(link.field.name).annotate(n=Count("pk")).values("n"))
            uses += Coalesce(number, 0)
    rows = Split.objects.visible_to(user).filter(annotation_data=annotation_data)
    return rows.select_related("created_by", "annotation_data").annotate(use_count=uses).order_by("-created_at", "-pk")


def part_of(split: Split, name: str) -> int:
    """Return the place of a part among the parts. Raises ValueRefused for a name that no part has."""
    names = split.part_names
    if name not in names:
        message = _("This split has the parts %(names)s.") % {"names": ", ".join(names)}
        raise ValueRefused("part", message, code="part_unknown")
    return names.index(name)


def datasets_of_split(*, split: Split, by: User) -> list[Dataset]:
    """Have a new dataset with its labels made of each part; they do not depend on anything afterwards.

    Raises NotTheOwner, and what combining raises.
    """
    data = split.annotation_data
    require_owner(data, by=by)
    studies: dict[int, list[int]] = {place: [] for place in range(len(split.part_names))}
    for part, study in split.members.order_by("study__position").values_list("part", "study"):
        studies[part].append(study)
    parts = dict(zip(split.part_names, studies.values(), strict=True))
    return list(_make(data.dataset, data, parts, by=by).values())


def preview_division(*, dataset: Dataset, wish: Wish, annotation_data: AnnotationData | None = None) -> Plan:
    """Return what :func:`split_dataset` would make; nothing is written. Raises SplitRefused, and WrongState."""
    if dataset.status != DatasetStatus.AVAILABLE:
        raise WrongState(_("This dataset is not available."))
    return plan_of_dataset(dataset, annotation_data, wish)


def split_dataset(
    *, dataset: Dataset, by: User, wish: Wish, annotation_data: AnnotationData | None = None
) -> tuple[dict[str, Dataset], Plan]:
    """Have a new dataset made of each part of ``dataset``, called "name – part"; all studies are in one.

    Raises NotTheOwner, SplitRefused, and what combining raises.
    """
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
    plan = plan_of_dataset(dataset, annotation_data, wish)
    parts = {part.name: part.studies for part in plan.parts}
    return _make(dataset, annotation_data, parts, by=by), plan


@transaction.atomic
def _make(
    dataset: Dataset, data: AnnotationData | None, parts: Mapping[str, Sequence[int]], *, by: User
) -> dict[str, Dataset]:
    return {
        part: combine_datasets(
            wanted=Wanted([{"dataset": dataset.pk, "annotation_data": data and data.pk, "studies": studies}]),
            by=by,
            name=f"{dataset.name[:150]} – {part}",
            annotation_data_name=data.name if data else None,
        )
        for part, studies in parts.items()
    }


def _hold(annotation_data: AnnotationData) -> None:
    """Keep the data and their dataset from being deleted until the transaction ends. Raises WrongState."""
    datasets = Dataset.objects.select_for_update(no_key=True).filter(pk=annotation_data.dataset_id)
    alive = datasets.exclude(status=DatasetStatus.DELETING).exists()
    rows = AnnotationData.objects.select_for_update(no_key=True).filter(pk=annotation_data.pk)
    if not (alive and rows.filter(status=AnnotationDataStatus.AVAILABLE).exists()):
        raise WrongState(_("These annotation data are not available."))


def _name_taken(annotation_data: AnnotationData, name: str, error: IntegrityError) -> Exception:
    if not Split.objects.filter(annotation_data=annotation_data, name=name).exists():
        return error
    return ValueRefused("name", _("These annotation data already have a split with this name."), code="name_taken")
