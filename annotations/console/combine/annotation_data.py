"""Step 2: with annotation data or not, of which type, and which of each dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, Label
from datasets.models import Dataset

from .draft import NONE, Draft, save
from .sources import combinable, numbers
from .steps import CombineStep, incomplete

SHOWN_LABELS = 12
DESCRIPTIONS = {
    AnnotationType.SINGLE_LABEL: (gettext_lazy("Images with a single label"), "tag"),
    AnnotationType.MULTI_LABEL: (gettext_lazy("Images with multiple labels"), "tags"),
    AnnotationType.DETECTION: (gettext_lazy("Images with bounding boxes"), "scan"),
    AnnotationType.SEGMENTATION: (gettext_lazy("Images with partitioned segments"), "shapes"),
}


@dataclass(frozen=True)
class TypeCard:
    """A type to choose; without ``datasets`` that have annotation data of it, it cannot be chosen."""

    value: str
    title: str
    text: str
    icon: str
    datasets: int


@dataclass
class SourceRow:
    """A dataset with its annotation data of the type; ``chosen`` is the id of one of them."""

    dataset: Dataset
    data: list[AnnotationData] = field(default_factory=list)
    chosen: int | None = None


class CombineAnnotationData(CombineStep):
    needs_annotation_data = False
    template_name = "annotations/combine/annotation_data.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = self.draft
        rows, cards = rows_and_cards(self.request, draft)
        chosen = [data for row in rows for data in row.data if data.pk == row.chosen]
        labels = Label.objects.filter(annotation_data__in=chosen).aggregate(n=Count("name", distinct=True))["n"]
        return {
            "draft": draft,
            "step": 2,
            "rows": rows,
            "cards": cards,
            "has_any": any(card.datasets for card in cards),
            "studies": sum(row.dataset.study_count for row in rows),
            "annotated_studies": sum(data.study_count for data in chosen),
            "label_count": labels if chosen else 0,
            "chosen_count": len(chosen),
            **kwargs,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft
        self._take(draft)
        context = self.get_context_data()
        save(request, draft)
        problem = ""
        if "next" in request.POST:
            problem = incomplete(draft)
            if not problem:
                return redirect(draft.url("combine-labels" if draft.include else "combine-review"))
        status = 422 if problem else 200
        return self.render_to_response(context | {"problem": problem}, status=status)

    def _take(self, draft: Draft) -> None:
        """Take over what the form says; of another type than before, nothing has been chosen yet."""
        form = self.request.POST
        draft.include = "include" in form
        kind = form.get("annotation_type", "")
        if kind in AnnotationType.values and draft.annotation_type not in ("", kind):
            draft.annotation_type, draft.data = kind, {}
        elif kind in AnnotationType.values:
            draft.annotation_type = kind
            asked = {str(pk): form[f"data_{pk}"] for pk in draft.sources if f"data_{pk}" in form}
            draft.data |= {pk: next(iter(numbers([text])), NONE) for pk, text in asked.items()}
        if up := numbers(form.getlist("up")):
            draft.move_up(up[0])


def rows_and_cards(request: HttpRequest, draft: Draft) -> tuple[list[SourceRow], list[TypeCard]]:
    """Return the datasets with their annotation data of the draft's type, and the types: three queries.

    Where nothing has been chosen yet, the only type there is, and the only annotation data a dataset has, are chosen.
    """
    datasets = {dataset.pk: dataset for dataset in combinable(request).filter(pk__in=draft.sources)}
    data = _available(request, draft.sources)
    cards = _cards(data)
    usable = [card.value for card in cards if card.datasets]
    if draft.annotation_type not in usable:
        draft.annotation_type = usable[0] if len(usable) == 1 else ""
    if not usable:
        draft.include = False
    rows = []
    for pk in draft.sources:
        if pk in datasets:
            own = [each for each in data if each.dataset_id == pk and each.annotation_type == draft.annotation_type]
            rows.append(SourceRow(datasets[pk], own, _chosen(draft, pk, own)))
    none = [dataset for dataset, data in draft.data.items() if data == NONE]
    draft.data = dict.fromkeys(none, NONE) | {str(row.dataset.pk): row.chosen for row in rows if row.chosen}
    return rows, cards


def _available(request: HttpRequest, sources: Sequence[int]) -> list[AnnotationData]:
    first = Label.objects.filter(position__lt=SHOWN_LABELS).order_by("position")
    rows = AnnotationData.objects.visible_to(request.user).filter(
        dataset__in=sources, status=AnnotationDataStatus.AVAILABLE
    )
    return list(
        rows.annotate(label_count=Count("labels"))
        .prefetch_related(Prefetch("labels", first, to_attr="first_labels"))
        .order_by("-created_at", "-pk")
    )


def _cards(data: Iterable[AnnotationData]) -> list[TypeCard]:
    having: dict[str, set[int]] = {}
    for each in data:
        having.setdefault(each.annotation_type, set()).add(each.dataset_id)
    return [
        TypeCard(kind.value, str(kind.label), str(text), icon, len(having.get(kind.value, ())))
        for kind, (text, icon) in DESCRIPTIONS.items()
    ]


def _chosen(draft: Draft, dataset: int, own: Sequence[AnnotationData]) -> int | None:
    """Return the id of the chosen one: the only one there is, unless it was chosen to take none."""
    asked = draft.data.get(str(dataset))
    if asked == NONE:
        return None
    if asked in {each.pk for each in own}:
        return asked
    return own[0].pk if len(own) == 1 else None
