"""From what somebody asks for to a recipe: everything in it is there, is theirs to see, and fits together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from annotations.combine import Recipe, Source
from annotations.combine.relations import listed
from annotations.errors import CombinationRefused
from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, Duplicates, OnConflict
from datasets.errors import WrongState
from datasets.models import Dataset, DatasetStatus, Study
from deepcap.accounts.models import User

if TYPE_CHECKING:
    from .combinations import Wanted

MOST_SOURCES = 50
LABEL_LENGTH = 200


@dataclass(frozen=True)
class Chosen:
    """A recipe with its rows, by place of the source; ``annotation_data`` is empty where only images are wanted."""

    recipe: Recipe
    datasets: Sequence[Dataset]
    annotation_data: Sequence[AnnotationData | None]

    @property
    def annotation_type(self) -> str:
        return next((data.annotation_type for data in self.annotation_data if data is not None), "")


def choose(wanted: Wanted, *, by: User) -> Chosen:
    """Return what is wanted with its rows. Raises CombinationRefused, and WrongState for what is not available.

    One source is enough where some of its studies were picked: the result is a subset of it.
    Codes: sources_too_few, sources_too_many, source_twice, not_found (404), annotation_types_differ,
    choice_unknown, keep_all_single_label, label_name_invalid, studies_unknown.
    """
    ids = [source["dataset"] for source in wanted.sources]
    fewest = 1 if any(source.get("studies") is not None for source in wanted.sources) else 2
    if len(wanted.sources) < fewest:
        raise _refused("sources_too_few", _("Choose at least %(least)d datasets."), least=fewest)
    if len(ids) > MOST_SOURCES:
        raise _refused("sources_too_many", _("At most %(most)d datasets can be combined."), most=MOST_SOURCES)
    if len(set(ids)) < len(ids):
        raise _refused("source_twice", _("Choose each dataset once."))
    datasets = _datasets(ids, by)
    given = [source.get("annotation_data") for source in wanted.sources]
    data = _annotation_data(ids, given, by) if any(pk is not None for pk in given) else []
    on_conflict, duplicates = _choices(wanted, data)
    common = _label_map(wanted.label_map)
    sources = tuple(
        Source(
            dataset=dataset.pk,
            name=dataset.name,
            annotation_data=source.get("annotation_data"),
            labels={**common, **_label_map(source.get("label_map"))},
            studies=_studies(dataset, source.get("studies")),
        )
        for dataset, source in zip(datasets, wanted.sources, strict=True)
    )
    return Chosen(Recipe(sources, on_conflict, duplicates), datasets, data)


def _datasets(ids: Sequence[int], by: User) -> list[Dataset]:
    found = Dataset.objects.visible_to(by).in_bulk(ids)
    if len(found) < len(ids):
        raise CombinationRefused(_("There is no such dataset."), code="not_found", status=404)
    if any(dataset.status != DatasetStatus.AVAILABLE for dataset in found.values()):
        raise WrongState(_("Only datasets that are available can be combined."))
    return [found[pk] for pk in ids]


def _annotation_data(ids: Sequence[int], given: Sequence[int | None], by: User) -> list[AnnotationData | None]:
    wanted = [pk for pk in given if pk is not None]
    found = AnnotationData.objects.visible_to(by).select_related("dataset").in_bulk(wanted)
    chosen = [None if pk is None else found.get(pk) for pk in given]
    for dataset_id, pk, data in zip(ids, given, chosen, strict=True):
        if pk is not None and (data is None or data.dataset_id != dataset_id):
            raise CombinationRefused(_("There are no such annotation data."), code="not_found", status=404)
    rows = [data for data in chosen if data is not None]
    if any(data.status != AnnotationDataStatus.AVAILABLE for data in rows):
        raise WrongState(_("These annotation data are not available."))
    if len({data.annotation_type for data in rows}) > 1:
        raise _refused("annotation_types_differ", _("Only annotation data of the same type can be combined."))
    return chosen


def _choices(wanted: Wanted, data: Sequence[AnnotationData | None]) -> tuple[str, str]:
    on_conflict = wanted.on_conflict or OnConflict.KEEP_FIRST
    duplicates = wanted.duplicates or Duplicates.KEEP_ALL
    if on_conflict not in OnConflict.values or duplicates not in Duplicates.values:
        raise _refused("choice_unknown", _("There is no such choice."))
    single = any(each is not None and each.annotation_type == AnnotationType.SINGLE_LABEL for each in data)
    if single and on_conflict == OnConflict.KEEP_ALL:
        message = _("An image has only one label in single-label classification: not all can be kept.")
        raise _refused("keep_all_single_label", message)
    return on_conflict, duplicates


def _label_map(labels: Mapping[str, str | None] | None) -> dict[str, str | None]:
    given = {old: None if new is None else str(new).strip() for old, new in (labels or {}).items()}
    cleaned = {old: new for old, new in given.items() if _may_be_a_label(old)}  # no others are there to be renamed
    for new in cleaned.values():
        if new is not None and not _may_be_a_label(new):
            message = _("A label needs a name of at most %(most)d characters.")
            raise _refused("label_name_invalid", message, most=LABEL_LENGTH)
    return cleaned


def _may_be_a_label(name: str) -> bool:
    """Tell whether the database could hold a label of this name."""
    return 0 < len(name) <= LABEL_LENGTH and "\x00" not in name and not re.search("[\ud800-\udfff]", name)


def _studies(dataset: Dataset, ids: Sequence[int] | None) -> tuple[int, ...] | None:
    if ids is None:
        return None
    wanted = tuple(dict.fromkeys(ids))
    if not wanted or Study.objects.filter(dataset=dataset, pk__in=listed(wanted)).count() < len(wanted):
        raise _refused("studies_unknown", _("Choose studies of this dataset."))
    return wanted


def _refused(code: str, message: str, **values: Any) -> CombinationRefused:
    return CombinationRefused(message % values if values else message, code=code)
