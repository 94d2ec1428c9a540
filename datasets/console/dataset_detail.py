"""``/datasets/{id}/``: what is in a dataset."""

from __future__ import annotations

from typing import Any

from .access import ConsolePage, dataset_or_404


class DatasetDetail(ConsolePage):
    template_name = "datasets/dataset_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {"dataset": dataset_or_404(self.request, pk)}
