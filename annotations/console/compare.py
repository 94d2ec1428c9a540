"""``/datasets/compare/?a=&b=``: two datasets beside each other."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy

from annotations.services.comparisons import KINDS, compare, studies_of
from datasets.console.access import ConsolePage, size_of_page
from datasets.models import Dataset
from datasets.models.dataset import UNDER_WAY

MOST_CHOICES = 500
PAGE_SIZES = (24, 48, 96)
MATCHES = {
    "none": "",
    "exact": gettext_lazy("Same name"),
    "case": gettext_lazy("Differ in case"),
    "punctuation": gettext_lazy("Differ in spaces or punctuation"),
    "plural": gettext_lazy("Differ by a plural"),
    "similar": gettext_lazy("Spelt alike"),
}


class DatasetCompare(ConsolePage):
    """Asks for the datasets that the address does not name; with both, shows what they have in common."""

    template_name = "annotations/compare.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visible = Dataset.objects.visible_to(self.request.user).exclude(status__in=UNDER_WAY)
        a, b = self._chosen(visible, "a"), self._chosen(visible, "b")
        context: dict[str, Any] = {"a": a, "b": b, "choices": _choices(visible, a, b)}
        if a is None or b is None or a.pk == b.pk:
            return context | {"is_same": a is not None and a == b}
        found = compare(a, b)
        kind = self._kind(found.shared_blobs, found.shared_patients)
        size = size_of_page(self.request, PAGE_SIZES, default=PAGE_SIZES[0])
        return context | {
            "comparison": found,
            "labels": [(MATCHES[pair.match], pair.a.items(), pair.b.items()) for pair in found.labels],
            "kind": kind,
            "page": studies_of(a, b, kind, after=_number(self.request.GET.get("after", "")), size=size),
            "is_later": "after" in self.request.GET,
        }

    def _chosen(self, visible: QuerySet[Dataset], side: str) -> Dataset | None:
        asked = self.request.GET.get(side, "")
        if not asked:
            return None
        if not (asked.isdecimal() and len(asked) < 19):
            raise Http404
        return get_object_or_404(visible, pk=int(asked))

    def _kind(self, blobs: int, patients: int) -> Any:
        """Return what is listed: as asked for, otherwise the first of which there is something."""
        asked = self.request.GET.get("show")
        first = "images" if blobs else "patients" if patients else "only_a"
        return next((kind for kind in KINDS if kind == asked), first)


def _choices(visible: QuerySet[Dataset], *chosen: Dataset | None) -> list[Dataset]:
    """Return the newest datasets, and those that are chosen already, however old."""
    few = list(visible.order_by("-created_at", "-pk")[:MOST_CHOICES])
    there = {dataset.pk for dataset in few}
    return few + [dataset for dataset in chosen if dataset and dataset.pk not in there]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1
