"""Annotation data that were made of results: shown where they come from, and from where they come."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from annotations.models import AnnotationData, SourceKind
from datasets.console.access import ConsoleView
from deepcap.accounts.models import User
from usage.models import AnnotationProject, InferenceJob

FEW = 20
SOURCES: dict[str, Any] = {
    SourceKind.ANNOTATION_PROJECT: AnnotationProject,
    SourceKind.INFERENCE_JOB: InferenceJob,
    SourceKind.CONVERTED: AnnotationData,
}


def made_from(row: Any, source_kind: SourceKind, *, user: User) -> QuerySet[AnnotationData]:
    """Return the annotation data of the same dataset that say they were made of ``row``, the newest first."""
    data = AnnotationData.objects.visible_to(user).filter(dataset=row.dataset_id, source_kind=source_kind)
    return data.filter(source_detail__id=row.pk).order_by("-created_at", "-pk")[:FEW]


class SourceLink(ConsoleView):
    """What annotation data were made of: a link while that exists, otherwise the word that it is gone."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = get_object_or_404(AnnotationData.objects.visible_to(request.user), pk=pk)
        table, source_id = SOURCES.get(data.source_kind), data.source_detail.get("id")
        is_known = table is not None and isinstance(source_id, int)
        source = table.objects.visible_to(request.user).filter(pk=source_id).first() if is_known else None
        context = {"source": source, "name": data.source_detail.get("name", ""), "is_gone": is_known and source is None}
        return render(request, "usage/includes/source_link.html", context)
