"""Step 3: names, rules, and what would come of it; the conflicts one by one; start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.combine.agreement import Said
from annotations.combine.preview import Preview
from annotations.console.grid import Tile, tiles_of
from annotations.models import AnnotatedImage, AnnotationData, AnnotationType, Duplicates, OnConflict
from annotations.services.combinations import combine_datasets, preview_combination
from datasets.models import Dataset
from datasets.services.datasets import NAME_LENGTH
from deepcap.common.errors import DomainError

from .annotation_data import DESCRIPTIONS
from .distribution import left_out, result_labels
from .draft import Draft, forget, save
from .labels import decide
from .steps import CombineStep

MOST_ROWS = 300
MOST_NAMES = 3


@dataclass(frozen=True)
class Contested:
    """An image as one of the sources has it: what is said of it, in the result's words, and what becomes of that."""

    tile: Tile
    dataset: str
    said: Sequence[tuple[str, int | None]]
    is_kept: bool


class CombinePreview(CombineStep):
    def preview(self) -> Preview:
        """Look at what would come of the draft; labels nobody has decided about get their names first."""
        found = preview_combination(wanted=self.draft.wanted(), by=self.request.user)
        if not decide(self.draft, found.label_matches):
            return found
        save(self.request, self.draft)
        return preview_combination(wanted=self.draft.wanted(), by=self.request.user)


class CombineReview(CombinePreview):
    template_name = "annotations/combine/review.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = self.draft
        sources = sources_of(self.request, draft)
        names = [dataset.name for dataset, _data in sources]
        return {
            "draft": draft,
            "step": 3,
            "sources": sources,
            "kind": kind_of(draft),
            "name": draft.name or _suggested(names),
            "data_name": draft.data_name or _suggested([data.name for _dataset, data in sources if data]),
            "name_length": NAME_LENGTH,
            "rules": rules_of(draft),
            "duplicate_rules": Duplicates.choices,
            **kwargs,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        draft, form = self.draft, request.POST
        take_rules(draft, form)
        draft.name, draft.data_name = form.get("name", "").strip(), form.get("data_name", "").strip()
        save(request, draft)
        if "start" not in form:
            return redirect(draft.url("combine-review"))
        try:
            if draft.include and not draft.data_name:
                raise DomainError(_("Name the new annotation data."))
            if draft.include:
                self.preview()
            dataset = combine_datasets(
                wanted=draft.wanted(), by=request.user, name=draft.name, annotation_data_name=draft.data_name or None
            )
        except DomainError as error:
            context = self.get_context_data(problem=error.message, name=draft.name, data_name=draft.data_name)
            return self.render_to_response(context, status=error.status)
        forget(request, draft)
        return redirect(dataset)


class CombineOutcome(CombinePreview):
    """What would come of it; the review asks for it after it is there, and again whenever a rule has changed."""

    template_name = "annotations/combine/outcome.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.preview()
        names = [dataset.name for dataset, _data in sources_of(self.request, self.draft)]
        listed = found.totals["listed_images"]
        rows = result_labels(found.label_matches, self.draft.sources, names, of=listed)
        return {
            "draft": self.draft,
            "preview": found,
            "sources": names,
            "rows": rows[:MOST_ROWS],
            "hidden": len(rows[MOST_ROWS:]),
            "left_out": left_out(found.label_matches),
            "duplicates": [group[:4] for group in found.duplicates.examples[:4]],
            "patients": found.patients.examples[:5],
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        take_rules(self.draft, request.POST)
        self.draft.name = request.POST.get("name", self.draft.name).strip()
        self.draft.data_name = request.POST.get("data_name", self.draft.data_name).strip()
        save(request, self.draft)
        return self.render_to_response(self.get_context_data())


class CombineConflicts(CombinePreview):
    """Images of which the sources say different things, side by side, and the rule for them."""

    template_name = "annotations/combine/conflicts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.preview()
        return {
            "draft": self.draft,
            "step": 3,
            "conflicts": found.conflicts,
            "groups": contested(found.conflicts.examples, self.draft.on_conflict),
            "rules": rules_of(self.draft),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        take_rules(self.draft, request.POST)
        save(request, self.draft)
        return redirect(self.draft.url("combine-conflicts"))


def take_rules(draft: Draft, form: Mapping[str, Any]) -> None:
    if form.get("duplicates") in Duplicates.values:
        draft.duplicates = form["duplicates"]
    if form.get("on_conflict") in dict(rules_of(draft)):
        draft.on_conflict = form["on_conflict"]


def rules_of(draft: Draft) -> list[tuple[str, str]]:
    """Return the rules for conflicts; of single labels not all can be kept. A rule that cannot be is given up."""
    if not draft.include:
        return []
    single = draft.annotation_type == AnnotationType.SINGLE_LABEL
    rules = [(str(key), str(name)) for key, name in OnConflict.choices if not (single and key == OnConflict.KEEP_ALL)]
    if draft.on_conflict not in dict(rules):
        draft.on_conflict = OnConflict.KEEP_FIRST.value
    return rules


def sources_of(request: HttpRequest, draft: Draft) -> list[tuple[Dataset, AnnotationData | None]]:
    """Return the datasets in their order, each with the annotation data chosen of it."""
    datasets = Dataset.objects.visible_to(request.user).in_bulk(draft.sources)
    chosen = AnnotationData.objects.visible_to(request.user).in_bulk(
        [pk for each in draft.sources if (pk := draft.data_of(each))]
    )
    return [(datasets[pk], chosen.get(draft.data_of(pk) or 0)) for pk in draft.sources if pk in datasets]


def kind_of(draft: Draft) -> dict[str, Any]:
    if not draft.include:
        return {"title": _("Images only"), "text": _("Images without labels"), "icon": "images"}
    kind = AnnotationType(draft.annotation_type)
    text, icon = DESCRIPTIONS[kind]
    return {"title": kind.label, "text": text, "icon": icon}


def contested(examples: Sequence[Sequence[AnnotatedImage]], rule: str) -> list[list[Contested]]:
    """Return the images of each conflict side by side; two queries for all of them."""
    rows = [row for group in examples for row in group]
    tiles = dict(zip((row.pk for row in rows), tiles_of(rows), strict=True))
    return [
        [
            Contested(
                tile=tiles[row.pk],
                dataset=row.image.dataset.name,
                said=_words(row.said),  # type: ignore[attr-defined]
                is_kept=rule == OnConflict.KEEP_ALL
                or (rule == OnConflict.KEEP_FIRST and row.annotation_data_id == group[0].annotation_data_id),
            )
            for row in group
        ]
        for group in examples
    ]


def _words(said: Sequence[Said]) -> list[tuple[str, int | None]]:
    """Return each label that is said once, with its value where it is a class."""
    return list(dict.fromkeys((str(each.label), each.value) for each in said))


def _suggested(names: Sequence[str]) -> str:
    """Return the names as one, of many the first and how many more there are."""
    few = list(dict.fromkeys(names))
    if len(few) > MOST_NAMES:
        few = [few[0], _("%(n)d more") % {"n": len(few) - 1}]
    return " + ".join(few)[:NAME_LENGTH].strip()
