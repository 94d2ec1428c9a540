"""``/datasets/studies/{id}/``: the images of a study, one at a time, as the server draws them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from datasets.models import Image, Study

from .access import ConsolePage

GRID_PAGE = 50


class StudyPage(ConsolePage):
    """``?image=`` counts the study's images from 1, ``?frame=`` the frames of that image."""

    template_name = "datasets/study_page.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        study = get_object_or_404(Study.objects.visible_to(self.request.user).select_related("dataset"), pk=pk)
        place = number_of(self.request, "image", last=study.image_count)
        images = _around(Image.objects.filter(study=study).select_related("blob", "series"), place - 1)
        image = images.get(place - 1)
        frame = number_of(self.request, "frame", last=image.frames if image else 1)
        studies = _around(Study.objects.filter(dataset=study.dataset_id), study.position)
        return {
            "study": study,
            "dataset": study.dataset,
            "image": image,
            "place": place,
            "frame": frame,
            "previous_image": images.get(place - 2),
            "next_image": images.get(place),
            "previous_study": studies.get(study.position - 1),
            "next_study": studies.get(study.position + 1),
            "grid_page": study.position // GRID_PAGE + 1,
        }


def number_of(request: HttpRequest, name: str, *, last: int) -> int:
    """Return the number asked for, moved into 1 to ``last``; 1 where none was asked for."""
    asked = request.GET.get(name, "")
    return max(1, min(int(asked), last)) if asked.isdecimal() and len(asked) < 10 else 1


def _around(rows: QuerySet[Any], position: int) -> dict[int, Any]:
    """Return the row at ``position`` and its neighbours, by position: one query."""
    return {row.position: row for row in rows.filter(position__gte=position - 1, position__lte=position + 1)}
