"""The splits of annotation data, as a card that their page asks for by address."""

from __future__ import annotations

from typing import Any

from annotations.console.access import annotation_data_or_404
from annotations.services.splits import splits_of
from datasets.console.access import ConsolePage

MOST_ROWS = 50


class SplitCard(ConsolePage):
    template_name = "annotations/splits/card.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        found = list(splits_of(self.request.user, annotation_data)[: MOST_ROWS + 1])
        return {
            "annotation_data": annotation_data,
            "splits": found[:MOST_ROWS],
            "has_more": len(found) > MOST_ROWS,
            "most": MOST_ROWS,
        }
