"""Step 1: which datasets."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_htmx.http import replace_url

from annotations.services.recipes import MOST_SOURCES
from datasets.console.access import ConsolePage, dataset_or_404, size_of_page
from datasets.console.dataset_list import NEWEST_FIRST, ORDERINGS, in_order
from datasets.models import Dataset, DatasetStatus

from .draft import Draft, draft_from, draft_of, save

PAGE_SIZES = (10, 25, 50)


class CombineSources(ConsolePage):
    """A table to tick datasets in; what is ticked is kept at once, over pages, searches and reloads."""

    template_name = "annotations/combine/sources.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """``?again=`` repeats how a dataset was combined, ``?dataset=`` begins with datasets ticked."""
        begun = self._begun(request)
        if begun is None:
            return super().get(request, *args, **kwargs)
        save(request, begun)
        return redirect(begun.url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        draft: Draft = kwargs.pop("draft", None) or draft_of(self.request)
        datasets = combinable(self.request)
        chosen = datasets.filter(pk__in=draft.sources).aggregate(studies=Sum("study_count"), size=Sum("size_bytes"))
        search = query.get("search", "").replace("\x00", "").strip()
        ordering = query.get("ordering", NEWEST_FIRST)
        if ordering.removeprefix("-") not in ORDERINGS:
            ordering = NEWEST_FIRST
        found = datasets.filter(name__icontains=search) if search else datasets
        size = size_of_page(self.request, PAGE_SIZES, default=10)
        page = Paginator(in_order(found, ordering), size).get_page(query.get("page"))
        return {
            "draft": draft,
            "step": 1,
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "ordering": ordering,
            "is_filtered": bool(search),
            "chosen_studies": chosen["studies"] or 0,
            "chosen_bytes": chosen["size"] or 0,
            "most": MOST_SOURCES,
            **kwargs,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = draft_of(request)
        shown, ticked = (numbers(request.POST.getlist(field)) for field in ("shown", "dataset"))
        allowed = set(combinable(request).filter(pk__in=[*draft.sources, *ticked]).values_list("pk", flat=True))
        draft.select(shown=shown, ticked=ticked)
        draft.sources = [pk for pk in draft.sources if pk in allowed]
        save(request, draft)
        problem = ""
        if "next" in request.POST:
            problem = refusal_of(draft)
            if not problem:
                return redirect(draft.url("combine-annotation-data"))
        status = 422 if problem else 200
        answer = self.render_to_response(self.get_context_data(draft=draft, problem=problem), status=status)
        return replace_url(answer, draft.url()) if request.htmx and not request.htmx.boosted else answer

    def _begun(self, request: HttpRequest) -> Draft | None:
        query = request.GET
        if "draft" in query:
            return None
        again = numbers(query.getlist("again"))
        if again:
            return draft_from(dataset_or_404(request, again[0]))
        asked = numbers(query.getlist("dataset"))
        if not asked:
            return None
        draft = draft_of(request)
        allowed = set(combinable(request).filter(pk__in=asked).values_list("pk", flat=True))
        draft.sources = [pk for pk in asked if pk in allowed]
        return draft


def combinable(request: HttpRequest) -> QuerySet[Dataset]:
    """Select the datasets that this person may combine."""
    return Dataset.objects.visible_to(request.user).filter(status=DatasetStatus.AVAILABLE)


def refusal_of(draft: Draft) -> str:
    """Return why these sources cannot be combined, or nothing."""
    if len(draft.sources) < 2 and not draft.again:
        return _("Select at least two datasets.")
    if len(draft.sources) > MOST_SOURCES:
        return _("At most %(most)d datasets can be combined.") % {"most": MOST_SOURCES}
    return ""


def numbers(texts: list[str]) -> list[int]:
    """Return the ids among these texts, each once."""
    return list(dict.fromkeys(int(text) for text in texts if text.isdecimal() and len(text) < 19))
