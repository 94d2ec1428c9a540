"""Listed images and single annotations: to look at, never counted."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from annotations.models import AnnotatedImage, Annotation
from deepcap.common.admin import HugeTableAdmin, link, list_of


@admin.register(AnnotatedImage)
class AnnotatedImageAdmin(HugeTableAdmin):
    list_display = ("image", "annotation_data", "position", "annotation_count", "problems", "annotations")
    related = ("annotation_data", "image")
    exact_searches = {r"[0-9]{1,18}": "annotation_data"}
    search_help_text = gettext_lazy("Annotation data's id.")
    readonly_fields = ("annotations",)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        one = request.GET.get("annotation_data__id__exact")
        return ("annotation_data_id", "position") if one else self.ordering

    @display(description=gettext_lazy("annotations"))
    def annotations(self, row: AnnotatedImage) -> str:
        return link(list_of(Annotation, item__id__exact=row.pk), gettext_lazy("Annotations"))


@admin.register(Annotation)
class AnnotationAdmin(HugeTableAdmin):
    list_display = ("id", "item", "label", "kind", "value", "x", "y", "width", "height", "area", "score", "frame")
    related = ("item", "label")
    exact_searches = {r"[0-9]{1,18}": "item"}
    search_help_text = gettext_lazy("A listed image's id.")
    fields = ("item", "label", "kind", "value", "x", "y", "width", "height", "area", "score", "frame", "extra")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Annotation]:
        return super().get_queryset(request).defer("counts", "polygons")
