"""Why files of an upload became no images: the dialog of a failed dataset, and the whole report."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator

from datasets.models import Outcome, Problem
from datasets.services.progress import report_of

from .access import ConsolePage, dataset_or_404, size_of_page

PAGE_SIZES = (20, 50, 100)
REASONS = 50


class FailureDialog(ConsolePage):
    template_name = "datasets/dialogs/failure.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        problems = Problem.objects.filter(dataset=dataset, outcome=Outcome.REJECTED).order_by("pk")
        return {"dataset": dataset, "report": report_of(dataset), "problems": problems[:REASONS]}


class DatasetReport(ConsolePage):
    template_name = "datasets/dataset_report.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        outcome = self.request.GET.get("outcome", "")
        search = self.request.GET.get("search", "").replace("\x00", "").strip()
        problems = Problem.objects.filter(dataset=dataset).order_by("outcome", "pk")
        if outcome in Outcome.values:
            problems = problems.filter(outcome=outcome)
        if search:
            problems = problems.filter(path__icontains=search)
        size = size_of_page(self.request, PAGE_SIZES, default=50)
        return {
            "dataset": dataset,
            "report": report_of(dataset),
            "page_obj": Paginator(problems, size).get_page(self.request.GET.get("page")),
            "page_sizes": PAGE_SIZES,
            "outcome": outcome,
            "outcomes": Outcome.choices,
        }
