"""Studies, series and images: to look at, never counted."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from datasets.models import Image, Series, Study
from deepcap.common.admin import CappedInline, HugeTableAdmin, link, list_of, page_of


class SeriesInline(CappedInline):
    model = Series
    fields = ("series_number", "modality", "description", "series_instance_uid")
    ordering = ("pk",)


class InDisplayOrder(HugeTableAdmin):
    """Newest first; where only one parent's rows are listed, in the order in which people see them.

    ``parents`` maps the query parameter that names the parent to the order, which an index gives.
    """

    parents: dict[str, tuple[str, ...]]

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        return next((order for name, order in self.parents.items() if request.GET.get(name)), self.ordering)


@admin.register(Study)
class StudyAdmin(InDisplayOrder):
    list_display = ("name", "dataset", "position", "modality", "description", "study_date", "image_count", "images")
    related = ("dataset", "cover")
    exact_searches = {r"[0-9]{1,18}": "dataset"}
    search_help_text = gettext_lazy("A dataset's id.")
    fields = (
        "dataset",
        "key",
        "name",
        "position",
        "study_instance_uid",
        "modality",
        "description",
        "study_date",
        "image_count",
        "images",
        "cover",
    )
    readonly_fields = ("images",)
    inlines = (SeriesInline,)
    parents = {"dataset__id__exact": ("dataset_id", "position")}

    @display(description=gettext_lazy("images"))
    def images(self, study: Study) -> str:
        return link(list_of(Image, study__id__exact=study.pk), gettext_lazy("Images"))


@admin.register(Image)
class ImageAdmin(InDisplayOrder):
    list_display = ("path", "dataset", "format", "size", "frames", "bits_stored", "undrawable")
    related = ("dataset", "study", "series", "blob")
    exact_searches = {r"[0-9a-f]{64}": "blob__digest", r"[0-9]{1,18}": "dataset"}
    search_help_text = gettext_lazy("A dataset's id, or the SHA-256 of the image's bytes.")
    fieldsets = (
        (None, {"fields": ("dataset", "study", "series", "shown_blob", "path", "position")}),
        (
            gettext_lazy("Pixels"),
            {
                "fields": (
                    "format",
                    "size",
                    "frames",
                    "bits_stored",
                    "photometric_interpretation",
                    "window_center",
                    "window_width",
                    "undrawable",
                )
            },
        ),
        (
            "DICOM",
            {
                "fields": (
                    "transfer_syntax_uid",
                    "sop_class_uid",
                    "sop_instance_uid",
                    "instance_number",
                    "slice_position",
                    "attributes",
                )
            },
        ),
        (gettext_lazy("Flags"), {"fields": ("duplicate", "burned_in_risk")}),
    )
    readonly_fields = ("size", "shown_blob")
    parents = {"study__id__exact": ("study_id", "position"), "dataset__id__exact": ("dataset_id", "path")}

    @display(description=gettext_lazy("size"))
    def size(self, image: Image) -> str:
        return f"{image.width}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{image.height}"

    @display(description=gettext_lazy("blob"))
    def shown_blob(self, image: Image) -> str:
        return link(page_of(image.blob), image.blob)
