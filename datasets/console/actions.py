"""What people do with a dataset, short of deleting it: each a dialog and the service it asks for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from datasets.models import DatasetStatus
from datasets.services.datasets import DESCRIPTION_LENGTH, NAME_LENGTH, edit_dataset
from datasets.services.ingests import cancel_ingest, keep_accepted
from datasets.services.uploads import abort_upload

from .access import ConsolePage, ConsoleView, back, dataset_or_404


class DatasetEdit(ConsolePage):
    template_name = "datasets/dialogs/edit.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {
            "dataset": dataset_or_404(self.request, pk),
            "name_length": NAME_LENGTH,
            "description_length": DESCRIPTION_LENGTH,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        form = request.POST
        dataset = edit_dataset(
            dataset=dataset, by=request.user, name=form.get("name"), description=form.get("description")
        )
        return back(request, otherwise=dataset)


class DatasetKeep(ConsoleView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = keep_accepted(dataset=dataset_or_404(request, pk), by=request.user)
        messages.success(request, _("Dataset “%(name)s” is available.") % {"name": dataset.name})
        return back(request, otherwise=dataset)


class DatasetCancel(ConsolePage):
    """Stops an upload, which leaves nothing, or a preparation, which leaves what was read."""

    template_name = "datasets/dialogs/cancel.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {"dataset": dataset_or_404(self.request, pk)}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        if dataset.status == DatasetStatus.UPLOADING:
            abort_upload(upload=dataset.upload, by=request.user)
            messages.info(request, _("The upload of “%(name)s” was given up.") % {"name": dataset.name})
            return back(request, otherwise="dataset-list")
        cancel_ingest(dataset=dataset, by=request.user)
        return back(request, otherwise=dataset)
