"""Making annotation data from annotation data: another type, some of the labels, labels merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.derive.plan import CONVERSIONS
from annotations.models import AnnotationType
from annotations.services.annotation_data import NAME_LENGTH
from annotations.services.derivations import convert
from datasets.console.access import ConsolePage

from .access import annotation_data_or_404

MOST_LABELS = 500  # more are taken along as they are


class Named(Protocol):
    """A label to choose: its row, or a name that has none yet under a number of its own."""

    @property
    def pk(self) -> Any: ...

    @property
    def name(self) -> str: ...


class AnnotationDataConvert(ConsolePage):
    template_name = "annotations/dialogs/convert.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        source = AnnotationType(annotation_data.annotation_type)
        labels = annotation_data.labels.all()
        return {
            "annotation_data": annotation_data,
            "targets": [(target.value, target.label) for target in (source, *CONVERSIONS.get(source, ()))],
            "labels": labels if len(labels) <= MOST_LABELS else [],
            "name_length": NAME_LENGTH,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        labels = annotation_data.labels.all()
        kept, merged = wishes(request, labels if len(labels) <= MOST_LABELS else [])
        made = convert(
            annotation_data=annotation_data,
            by=request.user,
            annotation_type=request.POST.get("annotation_type", ""),
            name=request.POST.get("name", ""),
            labels=kept,
            merge=merged,
        )
        messages.info(request, _("“%(name)s” is being made.") % {"name": made.name})
        return redirect(made)


def wishes(request: HttpRequest, labels: Iterable[Named]) -> tuple[list[str] | None, dict[str, list[str]]]:
    """Return the labels kept under their own names (None: all of them), and {new: [old, …]} of those renamed.

    A label whose box is not ticked is left out. Labels under the same new name, which may be another's, are merged.
    """
    kept: list[str] = []
    renamed: dict[str, list[str]] = {}
    left_out = False
    for label in labels:
        if f"keep_{label.pk}" not in request.POST:
            left_out = True
            continue
        new = request.POST.get(f"as_{label.pk}", "").strip()
        if new and new != label.name:
            renamed.setdefault(new, []).append(label.name)
        else:
            kept.append(label.name)
    for new in set(kept) & set(renamed):
        kept.remove(new)
        renamed[new].append(new)
    return (kept if left_out or renamed else None), renamed
