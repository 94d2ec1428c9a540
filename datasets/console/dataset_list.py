"""``/datasets/``: the datasets of the person who looks, and news of those under way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from datasets.models import Dataset, DatasetStatus

from .access import ConsolePage, ConsoleView, datasets_of, size_of_page
from .deletions import restorable
from .rows import Row, rows_of, under_way

PAGE_SIZES = (5, 10, 25)
NEWEST_FIRST = "-created_at"
ORDERINGS = {
    "name": Lower("name"),
    "study_count": F("study_count"),
    "annotation_data_count": F("annotation_data_count"),
    "created_at": F("created_at"),
}


class DatasetList(ConsolePage):
    template_name = "datasets/dataset_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        search = query.get("search", "").replace("\x00", "").strip()
        only_annotated = query.get("has_annotation_data") == "true"
        ordering = query.get("ordering", NEWEST_FIRST)
        if ordering.removeprefix("-") not in ORDERINGS:
            ordering = NEWEST_FIRST
        datasets = datasets_of(self.request)
        if search:
            datasets = datasets.filter(name__icontains=search)
        if only_annotated:
            datasets = datasets.filter(annotation_data_count__gt=0)
        size = size_of_page(self.request, PAGE_SIZES, default=10)
        page = Paginator(in_order(datasets, ordering), size).get_page(query.get("page"))
        rows = rows_of(page.object_list)
        return {
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "rows": rows,
            "under_way": under_way(rows),
            "ordering": ordering,
            "only_annotated": only_annotated,
            "is_filtered": bool(search or only_annotated),
            "can_combine": can_combine(self.request, rows),
            "has_restorable": restorable(self.request).exists(),
        }


class RowsUnderWay(ConsoleView):
    """What became of the rows that the list shows as under way: asked for every two seconds."""

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {int(pk) for pk in request.GET.getlist("id")[: max(PAGE_SIZES)] if pk.isdecimal() and len(pk) < 19}
        rows = rows_of(datasets_of(request).filter(pk__in=asked))
        gone = asked - {row.dataset.pk for row in rows}
        context = {"rows": rows, "gone": sorted(gone), "under_way": under_way(rows)}
        response = render(request, "datasets/rows_under_way.html", context)
        if gone or any(not row.dataset.is_under_way for row in rows):
            trigger_client_event(response, "deepcap:dataset-settled")
        return response


def can_combine(request: HttpRequest, rows: Iterable[Row]) -> bool:
    """True if there are two datasets that could be combined: among the ``rows`` that are shown, or elsewhere."""
    if sum(row.dataset.status == DatasetStatus.AVAILABLE for row in rows) > 1:
        return True
    available = Dataset.objects.visible_to(request.user).filter(status=DatasetStatus.AVAILABLE)
    return len(available.order_by().values_list("pk")[:2]) == 2


def in_order(datasets: QuerySet[Dataset], ordering: str) -> QuerySet[Dataset]:
    """Sort by one column, descending behind a minus; equals by age."""
    column = ORDERINGS[ordering.removeprefix("-")]
    return datasets.order_by(*((column.desc(), "-pk") if ordering.startswith("-") else (column.asc(), "pk")))
