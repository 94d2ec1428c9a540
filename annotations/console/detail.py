"""``/annotation-data/{id}/``: what the annotation data are, how they came in, their report, and their images."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from annotations.models import AnnotationData, AnnotationDataStatus
from annotations.services.numbers import numbers_of
from annotations.services.progress import progress_of
from datasets.console.access import ConsolePage, ConsoleView
from datasets.console.picking import picking_of

from .access import annotation_data_or_404, is_under_way
from .charts import chart, charts_of
from .grid import grid_of
from .problems import groups_of

VIEWS = ("bars", "table")


class AnnotationDataDetail(ConsolePage):
    template_name = "annotations/annotation_data_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        context: dict[str, Any] = {
            "annotation_data": annotation_data,
            "dataset": annotation_data.dataset,
            "labels": annotation_data.labels.all(),
            "is_under_way": is_under_way(annotation_data),
        }
        if is_under_way(annotation_data):
            return context | {"progress": progress_of(annotation_data)}
        context["problem_groups"] = groups_of(annotation_data)
        context["has_failed"] = annotation_data.status == AnnotationDataStatus.IMPORT_FAILED
        if not annotation_data.annotation_type:
            return context
        numbers = numbers_of(annotation_data)
        picking = picking_of(self.request, annotation_data.dataset)
        grid = grid_of(self.request, annotation_data, numbers)
        return context | picking | self._report(annotation_data, numbers) | grid

    def _report(self, annotation_data: AnnotationData, numbers: dict[str, Any]) -> dict[str, Any]:
        """The chart that was asked for, and how it is looked at."""
        query = self.request.GET
        tabs = charts_of(annotation_data.annotation_type)
        key = query.get("chart", "")
        key = key if key in tabs else next(iter(tabs))
        return {
            "numbers": numbers,
            "tabs": tabs,
            "chart": chart(
                key,
                numbers,
                annotation_type=annotation_data.annotation_type,
                label=query.get("coverage_of", ""),
            ),
            "view": query["view"] if query.get("view") in VIEWS else VIEWS[0],
        }


class AnnotationDataProgress(ConsoleView):
    """How far an import or a conversion is, asked for every two seconds; the page is told once it has ended.

    With ``?row`` as the status in a row of the dataset's card, otherwise as a card of its own.
    """

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        if not is_under_way(annotation_data):
            return trigger_client_event(HttpResponse(status=204), "deepcap:dataset-settled")
        template = "status" if "row" in request.GET else "progress_card"
        context = {
            "annotation_data": annotation_data,
            "is_under_way": True,
            "progress": progress_of(annotation_data),
        }
        return render(request, f"annotations/includes/{template}.html", context)
