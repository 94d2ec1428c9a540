"""What people do with a split: each a dialog and the service it asks for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.exporting.export import formats_for
from annotations.services.annotation_data import NAME_LENGTH
from annotations.services.splits import datasets_of_split, delete_split, rename_split
from datasets.console.access import ConsolePage

from .detail import split_or_404


class SplitDialog(ConsolePage):
    """A dialog about one split."""

    def get_context_data(self, pk: int, split_id: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data, split = split_or_404(self.request, pk, split_id)
        return {"annotation_data": annotation_data, "split": split}


class SplitRename(SplitDialog):
    template_name = "includes/rename_dialog.html"

    def get_context_data(self, pk: int, split_id: int, **kwargs: Any) -> dict[str, Any]:
        _annotation_data, split = split_or_404(self.request, pk, split_id)
        return {"heading": _("Rename split"), "named": split, "name_length": NAME_LENGTH}

    def post(self, request: HttpRequest, pk: int, split_id: int) -> HttpResponse:
        annotation_data, split = split_or_404(request, pk, split_id)
        rename_split(split=split, by=request.user, name=request.POST.get("name", ""))
        return redirect(annotation_data)


class SplitDownload(SplitDialog):
    """Asks for what, and in which format; the download itself is the API's."""

    template_name = "annotations/splits/download.html"

    def get_context_data(self, pk: int, split_id: int, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(pk, split_id)
        return context | {"formats": formats_for(context["annotation_data"].annotation_type)}


class SplitDatasets(SplitDialog):
    template_name = "annotations/splits/datasets.html"

    def post(self, request: HttpRequest, pk: int, split_id: int) -> HttpResponse:
        _annotation_data, split = split_or_404(request, pk, split_id)
        made = datasets_of_split(split=split, by=request.user)
        text = ngettext("%(count)d dataset is being made.", "%(count)d datasets are being made.", len(made))
        messages.info(request, text % {"count": len(made)})
        return redirect("dataset-list")


class SplitDelete(SplitDialog):
    """Explains why a split that was trained on stays."""

    template_name = "annotations/splits/delete.html"

    def post(self, request: HttpRequest, pk: int, split_id: int) -> HttpResponse:
        annotation_data, split = split_or_404(request, pk, split_id)
        delete_split(split=split, by=request.user)
        messages.success(request, _("The split “%(name)s” was deleted.") % {"name": split.name})
        return redirect(annotation_data)
