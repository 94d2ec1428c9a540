"""What the four lists share: narrowed by a link or a filter, searched, sorted, in pages, renewed while work goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import BaseExpression
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from annotations.models import AnnotationData
from datasets.console.access import ConsolePage, ConsoleView, size_of_page
from datasets.models import Dataset
from deepcap.common.paging import KeysFirstPaginator
from usage.models import DELETING, AnnotationProject, TrainingTask

PAGE_SIZES = (10, 25, 50)
NEWEST_FIRST = "-created_at"
SUBJECTS: Mapping[str, type[Model]] = {
    "dataset": Dataset,
    "annotation_data": AnnotationData,
    "project": AnnotationProject,
    "training_task": TrainingTask,
}


class UsageList(ConsolePage):
    """``narrowed_by`` says under which parameters the list is narrowed to what uses one thing, and by which field."""

    kind: Any = None
    narrowed_by: ClassVar[Mapping[str, str]] = {}
    searched: ClassVar[tuple[str, ...]] = ("name",)
    columns: ClassVar[Mapping[str, BaseExpression | str]] = {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        rows = self.kind.rows(user=self.request.user)
        subjects = self.subjects()
        for name, pk in subjects.items():
            rows = rows.filter(**{self.narrowed_by[name]: pk})
        choices = [choice for choice in self.kind.model._meta.get_field("status").choices if choice[0] != DELETING]
        status = query.get("status", "")
        status = status if status in dict(choices) else ""
        if status:
            rows = rows.filter(status=status)
        if search := query.get("search", "").replace("\x00", "").strip():
            rows = rows.filter(Q(*((f"{field}__icontains", search) for field in self.searched), _connector=Q.OR))
        rows, filters = self.filtered(rows)
        ordering = query.get("ordering", NEWEST_FIRST)
        if ordering.removeprefix("-") not in self.orderings():
            ordering = NEWEST_FIRST
        size = size_of_page(self.request, PAGE_SIZES, default=10)
        page = KeysFirstPaginator(self.in_order(rows, ordering), size).get_page(query.get("page"))
        return {
            "kind": self.kind,
            "rows_url": self.kind.url("rows"),
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "rows": self.shown(list(page.object_list)),
            "under_way": [row.pk for row in page.object_list if row.status in self.kind.under_way],
            "ordering": ordering,
            "statuses": choices,
            "status": status,
            "subjects": self.named(subjects),
            "is_filtered": bool(search or status or subjects or any(filters.values())),
            **filters,
        }

    def subjects(self) -> dict[str, int]:
        """Return what the list is narrowed to, as {parameter: id}; what is no id narrows to nothing at all."""
        asked = {name: self.request.GET.get(name, "") for name in self.narrowed_by}
        return {
            name: int(value) if value.isdecimal() and len(value) < 19 else 0 for name, value in asked.items() if value
        }

    def named(self, subjects: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return (parameter, name) of what the list is narrowed to; without a name what this person may not see."""
        found = {}
        for name, pk in subjects.items():
            table: Any = SUBJECTS[name]
            row = table.objects.visible_to(self.request.user).filter(pk=pk).first()
            found[name] = str(row) if row else ""
        return list(found.items())

    def filtered(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], dict[str, Any]]:
        """Return the rows that further filters leave, and these as the page shows them."""
        return rows, {}

    def shown(self, rows: list[Any]) -> list[Any]:
        """Return the rows of the page with what the row's template needs."""
        return rows

    def orderings(self) -> dict[str, Any]:
        common = {"created_at": "created_at", "status": "status", "finished_at": "finished_at"}
        named = {} if "name" in self.columns else {"name": Lower("name")}
        return {**common, **named, **self.columns}

    def in_order(self, rows: QuerySet[Any], ordering: str) -> QuerySet[Any]:
        """Sort by one column, descending behind a minus, what has no value last; equals by age."""
        column = self.orderings()[ordering.removeprefix("-")]
        column = F(column) if isinstance(column, str) else column
        if ordering.startswith("-"):
            return rows.order_by(column.desc(nulls_last=True), "-pk")
        return rows.order_by(column.asc(nulls_last=True), "pk")


class RowsUnderWay(ConsoleView):
    """How far the rows are that a list shows as under way, asked for every few seconds."""

    kind: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = {int(pk) for pk in request.GET.getlist("id")[: max(PAGE_SIZES)] if pk.isdecimal() and len(pk) < 19}
        rows = list(self.kind.rows(user=request.user).filter(pk__in=asked))
        going_on = [row.pk for row in rows if row.status in self.kind.under_way]
        context = {"kind": self.kind, "rows_url": request.path, "rows": rows, "under_way": going_on}
        response = render(request, "usage/rows_under_way.html", context)
        if asked != set(going_on):
            trigger_client_event(response, "deepcap:dataset-settled")
        return response
