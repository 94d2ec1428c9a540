"""Annotation data that were made of results: shown where they come from, and from where they come."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotations.models import AnnotationData, SourceKind
from datasets.console.access import ConsoleView
from deepcap.accounts.models import User

from .kinds import INFERENCES, PROJECTS, Kind

FEW = 20
SOURCES = {SourceKind.ANNOTATION_PROJECT.value: PROJECTS, SourceKind.INFERENCE_JOB.value: INFERENCES}


def made_from(row: Any, source_kind: SourceKind, *, user: User) -> QuerySet[AnnotationData]:
    """Return the annotation data of the same dataset that say they were made of ``row``, the newest first."""
    data = AnnotationData.objects.visible_to(user).filter(dataset=row.dataset_id, source_kind=source_kind)
    return data.filter(source_detail__id=row.pk).order_by("-created_at", "-pk")[:FEW]


class SourceLink(ConsoleView):
    """Where annotation data come from: a link while the project or job exists, otherwise the word that it is gone."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = AnnotationData.objects.visible_to(request.user).filter(pk=pk).first()
        kind: Kind | None = SOURCES.get(data.source_kind) if data else None
        source = None
        if data and kind and isinstance(data.source_detail.get("id"), int):
            source = kind.model._default_manager.visible_to(request.user).filter(pk=data.source_detail["id"]).first()  # type: ignore[attr-defined]
        name = data.source_detail.get("name", "") if data else ""
        return render(request, "usage/includes/source_link.html", {"source": source, "name": name})
