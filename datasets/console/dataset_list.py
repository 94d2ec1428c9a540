"""``/datasets/``: the datasets of the person who looks."""

from __future__ import annotations

from typing import Any

from .access import ConsolePage, datasets_of


class DatasetList(ConsolePage):
    template_name = "datasets/dataset_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"datasets": datasets_of(self.request).order_by("-created_at", "-pk")[:10]}
