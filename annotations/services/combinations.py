"""What people make of datasets they have: one out of several, or out of some of the studies of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.combine import Recipe
from annotations.combine.endings import leave
from annotations.combine.preview import Preview, match_labels, preview
from annotations.combine.relations import listed
from annotations.importing.creation import create
from annotations.models import AnnotationData, Combination, SourceKind
from annotations.tasks import run_combination
from datasets.models import Blob, Dataset, DatasetSource, DatasetStatus, Image, Origin
from datasets.services.datasets import clean_name, create_dataset
from datasets.services.quota import quota_of, require_room
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.leases import OPEN_STATES, WorkState

from .recipes import Chosen, choose

ACTIONS = {Origin.COMBINED: "combined", Origin.GALLERY: "imported_from_gallery"}


@dataclass(frozen=True)
class Wanted:
    """What somebody wants combined, in the words of the contract.

    ``sources`` are {"dataset", "annotation_data"?, "label_map"?, "studies"?}, ids; ``label_map`` is {old: new, or None
    to leave the label out} for all sources, and each may have its own on top.
    """

    sources: Sequence[Mapping[str, Any]]
    label_map: Mapping[str, str | None] | None = None
    on_conflict: str | None = None
    duplicates: str | None = None


def combine_datasets(
    *, wanted: Wanted, by: User, name: str, annotation_data_name: str | None = None, description: str = ""
) -> Dataset:
    """Have a new dataset made from others, and return it while it is being made.

    It belongs to ``by``, is called "name (2)" … if the name is taken, and does not depend on its sources afterwards.
    Raises CombinationRefused, ValueRefused, WrongState and QuotaExceeded; for sources that ``by`` does not see
    CombinationRefused with status 404.
    """
    name = clean_name(name)
    data_name = clean_name(annotation_data_name or name)
    return begin(choose(wanted, by=by), by=by, name=name, description=description, data_name=data_name)


def begin(
    chosen: Chosen,
    *,
    by: User,
    name: str,
    data_name: str,
    description: str = "",
    further: Sequence[AnnotationData] = (),
    origin: Origin = Origin.COMBINED,
) -> Dataset:
    """Have a dataset made as ``chosen``: whoever asks has seen to it that ``by`` may have what is in it.

    ``further`` annotation data of the only source are taken over under their names. Raises as combining does.
    """
    kind = SourceKind.GALLERY if origin == Origin.GALLERY else SourceKind.COMBINED
    new_bytes = _new_bytes(chosen, by)
    with transaction.atomic():
        require_room(user=by, size=new_bytes)
        dataset = create_dataset(
            owner=by, name=name, description=description, status=DatasetStatus.PREPARING, origin=origin
        )
        dataset.deidentified = all(source.deidentified for source in chosen.datasets)
        dataset.save(update_fields=["deidentified"])
        DatasetSource.objects.bulk_create(
            DatasetSource(
                dataset=dataset,
                number=number,
                source_dataset=source.dataset,
                name=source.name,
                image_count=_images_of(chosen, number),
            )
            for number, source in enumerate(chosen.recipe.sources)
        )
        data = _annotation_data(chosen, dataset=dataset, name=data_name, by=by, kind=kind)
        beside = [
            (each.pk, _taken_over(each, dataset=dataset, name=each.name, by=by, kind=kind, of=[each]).pk)
            for each in further
        ]
        combination = Combination.objects.create(
            dataset=dataset,
            annotation_data=data,
            recipe=replace(chosen.recipe, further=tuple(beside)).to_json(),
            place={"new_bytes": new_bytes} if new_bytes else {},
            requested_by=by,
            sent_at=timezone.now(),
        )
        sources = [source.dataset for source in chosen.recipe.sources]
        record(actor=by, action=f"dataset.{ACTIONS[origin]}", target=dataset, sources=sources)
        run_combination.delay_on_commit(combination.pk)
    return dataset


def preview_combination(*, wanted: Wanted, by: User) -> Preview:
    """Return what would come of it; nothing is written. Raises what :func:`combine_datasets` does, but for names."""
    chosen = choose(wanted, by=by)
    return preview(chosen.recipe, chosen.annotation_data)


def match_labels_of(*, wanted: Wanted, by: User) -> list[dict[str, Any]]:
    """Return which labels may mean the same, as a preview does, and nothing that takes longer. Raises what it does."""
    chosen = choose(wanted, by=by)
    return match_labels(chosen.recipe, chosen.annotation_data)


def recipe_of(dataset: Dataset) -> Recipe | None:
    """Return what a combined dataset was made by, to be proposed again; None for others."""
    combination = Combination.objects.filter(dataset=dataset).first()
    return Recipe.from_json(combination.recipe) if combination else None


@transaction.atomic
def stop_combination(dataset: Dataset, *, by: User) -> bool:
    """Stop what a dataset is being made of others by; it has failed then. False where there is no such work."""
    held = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.pk, status=DatasetStatus.PREPARING)
    stopped = held.exists() and Combination.objects.filter(dataset=dataset, state__in=OPEN_STATES).update(
        state=WorkState.CANCELLED, lease_token=None, lease_until=None, finished_at=timezone.now()
    )
    if not stopped:
        return False
    leave(Combination.objects.select_related("dataset__owner").get(dataset=dataset), _("Cancelled."))
    record(actor=by, action="dataset.combination_cancelled", target=dataset)
    return True


def _annotation_data(
    chosen: Chosen, *, dataset: Dataset, name: str, by: User, kind: SourceKind
) -> AnnotationData | None:
    given = [data for data in chosen.annotation_data if data is not None]
    return _taken_over(given[0], dataset=dataset, name=name, by=by, kind=kind, of=given) if given else None


def _taken_over(
    like: AnnotationData, *, dataset: Dataset, name: str, by: User, kind: SourceKind, of: Sequence[AnnotationData]
) -> AnnotationData:
    """Return annotation data of the type of ``like`` that are going to be made ``of`` others."""
    return create(
        dataset=dataset,
        name=name,
        by=by,
        annotation_type=like.annotation_type,
        source_kind=kind,
        source_detail={
            "name": ", ".join(data.name for data in of)[:500],
            "sources": [
                {"dataset": data.dataset_id, "dataset_name": data.dataset.name, "id": data.pk, "name": data.name}
                for data in of
            ],
        },
    )


def _images_of(chosen: Chosen, number: int) -> int:
    source = chosen.recipe.sources[number]
    if source.studies is None:
        return chosen.datasets[number].image_count
    return Image.objects.filter(study__in=listed(source.studies)).count()


def _new_bytes(chosen: Chosen, by: User) -> int:
    """Return the bytes that count against the quota of ``by`` and did not before: none of their own datasets'."""
    foreign = [dataset.pk for dataset in chosen.datasets if dataset.owner_id != by.pk]
    if not foreign or quota_of(by) is None:
        return 0
    images = Image.objects.filter(dataset__in=foreign)
    own = Image.objects.filter(dataset__owner=by, dataset__status=DatasetStatus.AVAILABLE)
    new = Blob.objects.filter(pk__in=images.values("blob")).exclude(pk__in=own.values("blob"))
    return sum(new.values_list("size", flat=True).iterator())
