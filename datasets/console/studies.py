"""``/datasets/studies/{id}/``: the images of a study, one at a time."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404

from datasets.models import Study

from .access import ConsolePage


class StudyPage(ConsolePage):
    template_name = "datasets/study_page.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        studies = Study.objects.visible_to(self.request.user).select_related("dataset", "cover")
        return {"study": get_object_or_404(studies, pk=pk)}
