"""What of a label file was not used: grouped by its reason, and the whole report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotations.models import AnnotationData, LabelImport, LabelProblem
from datasets.console.access import ConsolePage, size_of_page

from .access import annotation_data_or_404
from .paging import CountedPaginator

PAGE_SIZES = (20, 50, 100)
GROUPS = 8
EXAMPLES = 4


@dataclass(frozen=True)
class ProblemGroup:
    """Rows that were not used for one reason: how many, and the first of them."""

    code: str
    count: int
    examples: Sequence[LabelProblem]


class AnnotationDataProblems(ConsolePage):
    template_name = "annotations/problems.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        by_code = _counts(annotation_data)
        code = self.request.GET.get("code", "")
        rows = LabelProblem.objects.filter(label_import__annotation_data=annotation_data).order_by("pk")
        if code in by_code:
            rows = rows.filter(code=code)
        size = size_of_page(self.request, PAGE_SIZES, default=50)
        count = by_code.get(code, sum(by_code.values()))
        return {
            "annotation_data": annotation_data,
            "page_obj": CountedPaginator(rows, size, count=count).get_page(self.request.GET.get("page")),
            "page_sizes": PAGE_SIZES,
            "code": code,
            "by_code": by_code,
        }


def groups_of(annotation_data: AnnotationData) -> list[ProblemGroup]:
    """Return the reasons with most rows first, a few rows of each: a query a reason, read from the index."""
    label_import: LabelImport | None = getattr(annotation_data, "label_import", None)
    if label_import is None:
        return []
    by_code = sorted(_counts(annotation_data).items(), key=lambda each: (-each[1], each[0]))
    return [
        ProblemGroup(code, count, list(label_import.problems.filter(code=code).order_by("pk")[:EXAMPLES]))
        for code, count in by_code[:GROUPS]
    ]


def _counts(annotation_data: AnnotationData) -> dict[str, int]:
    label_import: LabelImport | None = getattr(annotation_data, "label_import", None)
    return label_import.problems_by_code if label_import else {}
