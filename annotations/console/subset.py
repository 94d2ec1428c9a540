"""A new dataset out of studies that were picked, or of the images that a filter selects."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, AnnotationDataStatus
from annotations.services.listings import annotation_data_of
from annotations.services.subsets import make_subset, studies_of
from datasets.console.access import ConsolePage, dataset_or_404
from datasets.console.picking import pick, picked
from datasets.models import Dataset, Study
from datasets.services.datasets import NAME_LENGTH

from .access import annotation_data_or_404
from .grid import filter_of


class DatasetSubset(ConsolePage):
    """Asks for a name and for the annotation data to be taken along.

    With ``?annotation_data=`` the studies are those of the images that the rest of the address filters.
    """

    template_name = "annotations/dialogs/subset.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        filtered = self._filtered(dataset)
        studies = self._studies(dataset, filtered)
        return {
            "dataset": dataset,
            "count": len(studies),
            "filtered": filtered,
            "name": _("%(name)s – selection") % {"name": dataset.name[: NAME_LENGTH - 20]},
            "annotation_data": self._annotation_data(dataset),
            "action": self.request.get_full_path(),
            "name_length": NAME_LENGTH,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        filtered = self._filtered(dataset)
        wanted = {text for text in request.POST.getlist("annotation_data") if text.isdecimal()}
        made = make_subset(
            dataset=dataset,
            studies=self._studies(dataset, filtered),
            by=request.user,
            name=request.POST.get("name", ""),
            annotation_data=[data for data in self._annotation_data(dataset) if str(data.pk) in wanted],
        )
        if filtered is None:
            pick(request, dataset, [])
        return redirect(made)

    def _filtered(self, dataset: Dataset) -> AnnotationData | None:
        asked = self.request.GET.get("annotation_data", "")
        if not asked.isdecimal() or len(asked) > 18:
            return None
        data = annotation_data_or_404(self.request, int(asked))
        return data if data.dataset_id == dataset.pk else None

    def _studies(self, dataset: Dataset, filtered: AnnotationData | None) -> list[int]:
        if filtered is not None:
            return studies_of(filtered, filter_of(self.request))
        alive = Study.objects.filter(dataset=dataset, pk__in=picked(self.request, dataset))
        return list(alive.order_by("position").values_list("pk", flat=True))

    def _annotation_data(self, dataset: Dataset) -> list[AnnotationData]:
        rows = annotation_data_of(self.request.user).filter(dataset=dataset, status=AnnotationDataStatus.AVAILABLE)
        return list(rows.prefetch_related(None).order_by("-created_at", "-pk"))
