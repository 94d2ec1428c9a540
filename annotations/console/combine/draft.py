"""What somebody has chosen so far, kept in their session under a key that the address carries."""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from annotations.combine import Recipe
from annotations.models import AnnotationData, Duplicates, OnConflict
from annotations.services.combinations import Wanted, recipe_of
from datasets.models import Dataset

IN_SESSION = "combine"
MOST_DRAFTS = 6
NONE = 0
KEY = re.compile(r"[\w-]{4,20}")


@dataclass
class Draft:
    """``sources`` are ids of datasets in their order, ``data`` what annotation data were chosen of each, NONE included.

    ``names`` says what becomes of labels, by their spelling: another name, or None to leave them out. ``again`` is the
    combined dataset whose recipe is repeated: what was picked of the studies of a source is picked again.
    """

    key: str = ""
    sources: list[int] = field(default_factory=list)
    include: bool = True
    annotation_type: str = ""
    data: dict[str, int] = field(default_factory=dict)
    names: dict[str, str | None] = field(default_factory=dict)
    on_conflict: str = OnConflict.KEEP_FIRST.value
    duplicates: str = Duplicates.KEEP_ALL.value
    name: str = ""
    data_name: str = ""
    again: int | None = None

    def url(self, step: str = "dataset-combine", **query: str) -> str:
        return f"{reverse(step)}?{urlencode({'draft': self.key, **query})}"

    def select(self, *, shown: list[int], ticked: list[int]) -> None:
        """Take over which of the ``shown`` datasets are ticked; what other pages of the list showed stays."""
        kept = [pk for pk in self.sources if pk not in shown or pk in ticked]
        self.sources = kept + [pk for pk in ticked if pk not in kept]
        self.data = {dataset: data for dataset, data in self.data.items() if int(dataset) in self.sources}

    def move_up(self, dataset: int) -> None:
        """Exchange a source with the one before it: of two that clash the first has its way."""
        place = self.sources.index(dataset) if dataset in self.sources else 0
        if place:
            self.sources[place - 1 : place + 1] = [dataset, self.sources[place - 1]]

    def data_of(self, dataset: int) -> int | None:
        return self.data.get(str(dataset)) or None if self.include else None

    def wanted(self) -> Wanted:
        """Return the choices in the words of the contract."""
        picked = _picked(self.again) if self.again else {}
        return Wanted(
            sources=[
                {"dataset": pk, "annotation_data": self.data_of(pk), "studies": picked.get(pk)} for pk in self.sources
            ],
            label_map=self.names,
            on_conflict=self.on_conflict,
            duplicates=self.duplicates,
        )


def draft_of(request: HttpRequest) -> Draft:
    """Return the draft that the address names, or a new one, which is kept once it is saved.

    A session outlives releases: what this one does not know of a draft is left out.
    """
    key = request.GET.get("draft", "")
    kept = request.session.get(IN_SESSION, {}).get(key)
    if kept is not None:
        draft = Draft(**{name: value for name, value in kept.items() if name in Draft.__dataclass_fields__})
        if draft.again and not _picked(draft.again):
            draft.sources, draft.again = [], None  # nobody knows any more which studies: all would be too many
        return draft
    return Draft(key=key if KEY.fullmatch(key) else secrets.token_urlsafe(8))


def save(request: HttpRequest, draft: Draft) -> None:
    """Keep the draft with the few that were used last."""
    drafts = dict(request.session.get(IN_SESSION, {}))
    drafts.pop(draft.key, None)
    drafts[draft.key] = asdict(draft)
    request.session[IN_SESSION] = dict(list(drafts.items())[-MOST_DRAFTS:])


def forget(request: HttpRequest, draft: Draft) -> None:
    drafts = dict(request.session.get(IN_SESSION, {}))
    if drafts.pop(draft.key, None) is not None:
        request.session[IN_SESSION] = drafts


def draft_from(dataset: Dataset) -> Draft:
    """Return the choices that a combined dataset was made by; sources and annotation data that are gone are left out.

    An empty draft for a dataset that was not made of others.
    """
    recipe = recipe_of(dataset)
    draft = Draft(key=secrets.token_urlsafe(8))
    if recipe is None:
        return draft
    there = Dataset.objects.filter(pk__in=[source.dataset for source in recipe.sources])
    alive = set(there.visible_to(dataset.owner).values_list("pk", flat=True))
    chosen = [source.annotation_data for source in recipe.sources if source.annotation_data]
    types = dict(AnnotationData.objects.filter(pk__in=chosen).values_list("pk", "annotation_type"))
    for source in recipe.sources:
        if source.dataset not in alive:
            continue
        draft.sources.append(source.dataset)
        if source.annotation_data in types:
            draft.data[str(source.dataset)] = source.annotation_data
        draft.names = {**source.labels, **draft.names}
    draft.annotation_type = next(iter(types.values()), "")
    draft.include = bool(chosen)
    draft.on_conflict, draft.duplicates = str(recipe.on_conflict), str(recipe.duplicates)
    draft.again = dataset.pk if any(source.studies is not None for source in recipe.sources) else None
    data: AnnotationData | None = dataset.annotation_data.order_by("pk").first()
    draft.name, draft.data_name = dataset.name, data.name if data else ""
    return draft


def _picked(again: int) -> dict[int, Any]:
    """Return the studies that were picked of each source of a combined dataset, None where all."""
    dataset = Dataset.objects.filter(pk=again).first()
    recipe: Recipe | None = recipe_of(dataset) if dataset else None
    return {source.dataset: source.studies for source in recipe.sources} if recipe else {}
