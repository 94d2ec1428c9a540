"""What people do with annotation data: each a dialog and the service it asks for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.errors import LabelsRefused
from annotations.exporting.export import formats_for
from annotations.formats import FORMATS
from annotations.formats.header import NAMES
from annotations.models import AnnotationType
from annotations.services.annotation_data import NAME_LENGTH, rename_annotation_data
from annotations.services.deletions import annotation_data_impact, delete_annotation_data
from annotations.services.imports import import_labels, keep_import, replace_file
from datasets.console.access import ConsolePage, ConsoleView, dataset_or_404
from datasets.console.deletions import restorable_now
from datasets.services.deletions import CONFIRMATION

from .access import annotation_data_or_404

ONE_EACH = "labels"
TITLES = {
    "image": gettext_lazy("Image"),
    "label": gettext_lazy("Label"),
    ONE_EACH: gettext_lazy("One column for each label"),
    "value": gettext_lazy("Value (0 or 1)"),
    "x": gettext_lazy("Left"),
    "y": gettext_lazy("Top"),
    "width": gettext_lazy("Width"),
    "height": gettext_lazy("Height"),
    "xmin": gettext_lazy("Left edge"),
    "ymin": gettext_lazy("Top edge"),
    "xmax": gettext_lazy("Right edge"),
    "ymax": gettext_lazy("Bottom edge"),
    "score": gettext_lazy("Score"),
}
COLUMN_NAMES = [(meaning, title, NAMES.get(meaning, "")) for meaning, title in TITLES.items()]


class LabelUpload(ConsolePage):
    """Asks for a label file for a dataset, and what of it cannot be detected."""

    template_name = "annotations/dialogs/upload.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {
            "dataset": dataset_or_404(self.request, pk),
            "types": AnnotationType.choices,
            "formats": [(one.key, one.title) for one in FORMATS if one.reads],
            "name_length": NAME_LENGTH,
            "column_names": COLUMN_NAMES,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        file = _file(request)
        annotation_data = import_labels(
            dataset=dataset,
            by=request.user,
            file=file,
            filename=file.name,
            name=request.POST.get("name", "").strip() or None,
            annotation_type=request.POST.get("annotation_type") or None,
            file_format=request.POST.get("file_format") or None,
            options=options_of(request),
        )
        messages.info(request, _("Labels are being imported as “%(name)s”.") % {"name": annotation_data.name})
        return redirect(annotation_data)


class LabelReplacement(ConsolePage):
    """Asks for another file in place of the one that had problems."""

    template_name = "annotations/dialogs/replace.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {"annotation_data": annotation_data_or_404(self.request, pk), "column_names": COLUMN_NAMES}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        file = _file(request)
        annotation_data = replace_file(
            annotation_data=annotation_data_or_404(request, pk),
            by=request.user,
            file=file,
            filename=file.name,
            options=options_of(request),
        )
        return redirect(annotation_data)


class AnnotationDataKeep(ConsoleView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        kept = keep_import(annotation_data=annotation_data_or_404(request, pk), by=request.user)
        messages.success(request, _("Annotation data “%(name)s” are available.") % {"name": kept.name})
        return redirect(kept)


class AnnotationDataRename(ConsolePage):
    template_name = "includes/rename_dialog.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        return {"heading": _("Rename annotation data"), "named": annotation_data, "name_length": NAME_LENGTH}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        rename_annotation_data(annotation_data=annotation_data, by=request.user, name=request.POST.get("name", ""))
        return back(request, annotation_data)


class AnnotationDataDownload(ConsolePage):
    """Asks in which format, and whether with the images; the download itself is the API's."""

    template_name = "annotations/dialogs/download.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        return {"annotation_data": annotation_data, "formats": formats_for(annotation_data.annotation_type)}


class AnnotationDataDelete(ConsolePage):
    template_name = "annotations/dialogs/delete.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        return {
            "annotation_data": annotation_data,
            "action": self.request.path,
            "impact": annotation_data_impact(annotation_data),
            "trash_days": settings.DEEPCAP_TRASH_DAYS,
            "word": CONFIRMATION,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        dataset = annotation_data.dataset
        deletion = delete_annotation_data(
            annotation_data=annotation_data, by=request.user, confirmation=request.POST.get("confirmation")
        )
        if restorable_now(deletion):
            text = _("Annotation data “%(name)s” can still be restored.") % {"name": annotation_data.name}
        else:
            text = _("Annotation data “%(name)s” are being deleted.") % {"name": annotation_data.name}
        link = format_html('<a href="{}">{}</a>', reverse("deletion-receipt", args=[deletion.pk]), _("Receipt"))
        messages.success(request, format_html("{} {}", text, link))
        return redirect(dataset)


def back(request: HttpRequest, annotation_data: Any) -> HttpResponse:
    """Return to the dataset's page if that is where the dialog was opened, otherwise to the annotation data."""
    dataset = annotation_data.dataset
    here = request.htmx.current_url_abs_path if request.htmx else None
    return redirect(here if here and here.split("?")[0] == dataset.get_absolute_url() else annotation_data)


def options_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the person said about the columns of a CSV with a header: {"columns": {"image": "File", …}}."""
    columns: dict[str, Any] = {}
    for meaning, _title, _names in COLUMN_NAMES:
        if named := [name for name in request.POST.getlist(f"column_{meaning}") if name]:
            columns[meaning] = named if meaning == ONE_EACH else named[0]
    return {"columns": columns} if columns else None


def _file(request: HttpRequest) -> Any:
    file = request.FILES.get("file")
    if file is None:
        raise LabelsRefused(_("Choose a label file."), code="file_missing")
    return file
