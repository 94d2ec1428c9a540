"""Results become annotation data: the dialog in which type, labels and combinations of labels are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.console.conversion import MOST_LABELS, wishes
from annotations.derive.plan import CONVERSIONS
from annotations.models import AnnotationData, AnnotationType
from usage.models import AnnotationProject
from usage.services.exports import export_predictions, export_results, labels_of
from usage.services.rules import NAME_LENGTH

from .actions import UsageDialog


@dataclass(frozen=True)
class Choice:
    """A label to choose, under a number of its own."""

    pk: int
    name: str


class UsageExport(UsageDialog):
    """Makes annotation data of what a service has handed in, which stand on their own from then on."""

    template_name = "usage/dialogs/export.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(pk)
        return context | {
            "name_length": NAME_LENGTH,
            "types": types_of(context["row"]),
            "source_type": labels_of(context["row"])[0],
            "choices": choices_of(context["row"]),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.kind.get_or_404(request, pk)
        choices = choices_of(row) if "chosen" in request.POST else []
        kept, merged = wishes(request, choices)
        wanted = {
            "by": request.user,
            "name": request.POST.get("name", "").strip() or None,
            "annotation_type": request.POST.get("annotation_type") or None,
            "labels": kept,
            "merge": merged,
        }
        data: AnnotationData
        if isinstance(row, AnnotationProject):
            data = export_results(project=row, **wanted)
        else:
            data = export_predictions(inference_job=row, **wanted)
        messages.info(request, _("“%(name)s” is being made.") % {"name": data.name})
        return redirect(data)


def types_of(row: Any) -> list[tuple[str, str]]:
    """Return what the results may become: their own type first; all of the project's where nobody knows that."""
    source, _names = labels_of(row)
    if source is None:
        return [
            (value, AnnotationType(value).label) for value in (each["annotation_type"] for each in row.annotation_types)
        ]
    own = AnnotationType(source)
    return [(target.value, target.label) for target in (own, *CONVERSIONS.get(own, ()))]


def choices_of(row: Any) -> list[Choice]:
    """Return the labels to choose from, none where they are too many: then all are taken as they are."""
    _source, names = labels_of(row)
    return [Choice(number, name) for number, name in enumerate(names)] if len(names) <= MOST_LABELS else []
