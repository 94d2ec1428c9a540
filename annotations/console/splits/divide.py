"""The page that divides a dataset into new ones, with labels or without."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext

from annotations.models import AnnotationData, AnnotationDataStatus
from annotations.services.listings import annotation_data_of
from annotations.services.splits import preview_division, split_dataset
from datasets.console.access import ConsolePage, dataset_or_404
from datasets.models import Dataset

from .create import Choices, shown


class DatasetDivide(ConsolePage):
    """Shows what the choices in the address come to; posted, each part becomes a dataset.

    ``annotation_data`` are what parts get labels of; the newest are proposed, an empty value is none.
    """

    template_name = "annotations/splits/divide.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        offered = list(self._offered(dataset))
        chosen = self._chosen(dataset, self.request.GET)
        if "annotation_data" not in self.request.GET:
            chosen = next(iter(offered), None)
        context = {"subject": dataset, "offered": offered, "chosen": chosen}
        return context | shown(
            Choices.of(self.request.GET),
            lambda wish: preview_division(dataset=dataset, annotation_data=chosen, wish=wish),
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        made, _plan = split_dataset(
            dataset=dataset,
            by=request.user,
            wish=Choices.of(request.POST).wish(),
            annotation_data=self._chosen(dataset, request.POST),
        )
        text = ngettext("%(count)d dataset is being made.", "%(count)d datasets are being made.", len(made))
        messages.info(request, text % {"count": len(made)})
        return redirect("dataset-list")

    def _offered(self, dataset: Dataset) -> Any:
        rows = annotation_data_of(self.request.user).filter(dataset=dataset, status=AnnotationDataStatus.AVAILABLE)
        return rows.prefetch_related(None).order_by("-created_at", "-pk")

    def _chosen(self, dataset: Dataset, query: Any) -> AnnotationData | None:
        asked = query.get("annotation_data", "")
        if not asked:
            return None
        return get_object_or_404(self._offered(dataset), pk=int(asked) if asked.isdecimal() and len(asked) < 19 else 0)
