"""The annotation data of a dataset, as a card that the dataset's page asks for by address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotations.models import AnnotationData
from annotations.services.imports import Progress
from annotations.services.listings import annotation_data_of
from annotations.services.progress import progress_of
from datasets.console.access import ConsolePage, dataset_or_404, size_of_page

from .access import is_under_way
from .paging import CountedPaginator

PAGE_SIZES = (5, 10, 25)


@dataclass(frozen=True)
class Row:
    annotation_data: AnnotationData
    is_under_way: bool
    progress: Progress


class AnnotationDataCard(ConsolePage):
    template_name = "annotations/includes/card.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        oldest_first = self.request.GET.get("ordering") == "created_at"
        order = ("created_at", "pk") if oldest_first else ("-created_at", "-pk")
        rows = annotation_data_of(self.request.user).filter(dataset=dataset).order_by(*order)
        rows = rows.defer("statistics__numbers").prefetch_related(None)
        size = size_of_page(self.request, PAGE_SIZES, default=5)
        page = CountedPaginator(rows, size, count=dataset.annotation_data_count).get_page(self.request.GET.get("page"))
        return {
            "dataset": dataset,
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "oldest_first": oldest_first,
            "rows": [Row(each, is_under_way(each), progress_of(each)) for each in page.object_list],
        }
