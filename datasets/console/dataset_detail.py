"""``/datasets/{id}/``: what is in a dataset, how it came in, and how far it is."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from datasets.models import Dataset, DatasetSource, Image, Origin, Problem, Study
from datasets.models.image import Duplicate
from datasets.services.datasets import mark_opened
from datasets.services.progress import progress_of, report_of
from deepcap.accounts.models import User

from .access import ConsolePage, ConsoleView, dataset_or_404, size_of_page
from .picking import picking_of
from .positions import PositionPaginator

PAGE_SIZES = (20, 50, 100)
FIRST_PROBLEMS = 10
UNREMARKABLE_ENCODINGS = {"", "ascii", "utf-8"}


class DatasetDetail(ConsolePage):
    template_name = "datasets/dataset_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        if dataset.is_new:
            mark_opened(dataset=dataset, user=self.request.user)
        context = {"dataset": dataset, "progress": progress_of(dataset), "report": report_of(dataset)}
        context["sources"] = sources_of(dataset, self.request.user)
        return context if dataset.is_under_way else context | self._settled(dataset)

    def _settled(self, dataset: Dataset) -> dict[str, Any]:
        """What there is to see once nothing changes any more."""
        studies = Study.objects.filter(dataset=dataset).select_related("cover__blob")
        size = size_of_page(self.request, PAGE_SIZES, default=50)
        page = PositionPaginator(studies, size, count=dataset.study_count).get_page(self.request.GET.get("page"))
        encoding = dataset.ingest.name_encoding if hasattr(dataset, "ingest") else ""
        problems = Problem.objects.filter(dataset=dataset).order_by("outcome", "pk")
        return picking_of(self.request, dataset) | {
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "name_encoding": "" if encoding.lower() in UNREMARKABLE_ENCODINGS else encoding,
            "problems": problems[:FIRST_PROBLEMS],
        }


def sources_of(dataset: Dataset, user: User) -> list[tuple[DatasetSource, bool]]:
    """Return what a dataset was made of, each with whether this person can open it: it may be gone, or a stranger's."""
    if dataset.origin == Origin.UPLOAD:
        return []
    sources = list(DatasetSource.objects.filter(dataset=dataset).order_by("number"))
    ids = [source.source_dataset for source in sources]
    there = set(Dataset.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    return [(source, source.source_dataset in there) for source in sources]


class DatasetProgress(ConsoleView):
    """The progress card, asked for every two seconds; once the dataset is settled, the page is told so."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        if not dataset.is_under_way:
            return trigger_client_event(HttpResponse(status=204), "deepcap:dataset-settled")
        context = {"dataset": dataset, "progress": progress_of(dataset)}
        return render(request, "datasets/includes/progress_card.html", context)


class DatasetFindings(ConsolePage):
    """What only a look at every image tells; the page does not wait for it."""

    template_name = "datasets/includes/findings.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        images = Image.objects.filter(dataset=dataset_or_404(self.request, pk))
        return images.aggregate(
            duplicates=Count("pk", filter=~Q(duplicate=Duplicate.NO)),
            burned_in=Count("pk", filter=Q(burned_in_risk=True)),
        )
