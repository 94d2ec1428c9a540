"""Annotation data and their labels: what they hold, and what an operator may have done about them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from annotations.models import (
    AnnotatedImage,
    AnnotationData,
    AnnotationDataStatus,
    Derivation,
    Label,
    Statistics,
)
from annotations.services.deletions import annotation_data_impact, delete_annotation_data
from annotations.services.imports import retry_import
from annotations.services.operators import order_recount
from datasets.services.deletions import CONFIRMATION
from deepcap.accounts.models import User
from deepcap.common.admin import (
    CappedInline,
    HugeTableAdmin,
    LookOnlyAdmin,
    Operation,
    ShowsWorkState,
    link,
    list_of,
    page_of,
)

STATUS_COLOURS = {
    AnnotationDataStatus.IMPORTING.label: "info",
    AnnotationDataStatus.AVAILABLE.label: "success",
    AnnotationDataStatus.IMPORT_FAILED.label: "danger",
    AnnotationDataStatus.DELETING.label: "warning",
}


def retry(annotation_data: AnnotationData, by: User) -> str:
    retry_import(annotation_data=annotation_data, by=by)
    return _("The file is read again.")


def recount(annotation_data: AnnotationData, by: User) -> str:
    order_recount(annotation_data=annotation_data, by=by)
    return _("A worker counts them again.")


def confirm_deletion(model_admin: ModelAdmin, request: HttpRequest, annotation_data: AnnotationData) -> HttpResponse:
    """Show what goes with the annotation data and ask for the word; given the word, delete."""
    if request.method == "POST":
        word = request.POST.get("confirmation")
        if model_admin.attempt(request, annotation_data, lambda row, by: _delete(row, by, word)):
            return redirect(list_of(AnnotationData))
    counted = [(key.replace("_", " "), count) for key, count in annotation_data_impact(annotation_data).items()]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Delete %(name)s") % {"name": annotation_data},
        "opts": model_admin.opts,
        "annotation_data": annotation_data,
        "back": page_of(annotation_data),
        "word": CONFIRMATION,
        "table": {"headers": [_("What goes"), _("How much")], "rows": counted},
    }
    return render(request, "admin/annotations/confirm_deletion.html", context)


def _delete(annotation_data: AnnotationData, by: User, word: str | None) -> str:
    deletion = delete_annotation_data(annotation_data=annotation_data, by=by, confirmation=word)
    return _("Deletion %(id)d was ordered.") % {"id": deletion.pk}


class LabelInline(CappedInline):
    model = Label
    fields = ("position", "name", "color", "image_count", "annotation_count")
    ordering = ("position",)


@admin.register(AnnotationData)
class AnnotationDataAdmin(LookOnlyAdmin):
    list_display = (
        "name",
        "dataset",
        "annotation_type",
        "shown_status",
        "source_kind",
        "study_count",
        "image_count",
        "annotation_count",
        "created_at",
    )
    list_filter = ("status", "annotation_type", "source_kind")
    search_fields = ("name", "=dataset__id", "=dataset__owner__username", "=id")
    search_help_text = gettext_lazy("A part of the name, a dataset's id, its owner's name, or an id.")
    related = ("dataset__owner", "created_by", "label_import", "derivation", "statistics")
    fieldsets = (
        (None, {"fields": ("id", "name", "dataset", "annotation_type", "shown_status", "status_detail", "tables")}),
        (gettext_lazy("Contents"), {"fields": ("study_count", "image_count", "annotation_count", "computed_at")}),
        (gettext_lazy("Came"), {"fields": ("source_kind", "source_detail", "created_by", "created_at")}),
        (
            gettext_lazy("Use"),
            {"fields": ("training_task_count", "inference_job_count", "annotation_project_count")},
        ),
    )
    readonly_fields = ("id", "shown_status", "tables", "computed_at", "created_at")
    inlines = (LabelInline,)
    operations = (
        Operation("recount", gettext_lazy("Recount"), recount, icon="calculate"),
        Operation(
            "retry",
            gettext_lazy("Read the file again"),
            retry,
            applies=lambda data: data.status == AnnotationDataStatus.IMPORT_FAILED and hasattr(data, "label_import"),
            icon="replay",
        ),
        Operation(
            "delete",
            gettext_lazy("Delete …"),
            page=confirm_deletion,
            applies=lambda data: data.status != AnnotationDataStatus.DELETING,
            icon="delete",
        ),
    )

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, data: AnnotationData) -> str:
        return data.get_status_display()

    @display(description=gettext_lazy("statistics computed"))
    def computed_at(self, data: AnnotationData) -> object:
        return data.statistics.computed_at if hasattr(data, "statistics") else "–"

    @display(description=gettext_lazy("tables"))
    def tables(self, data: AnnotationData) -> str:
        under = [(list_of(model, annotation_data__id__exact=data.pk), model) for model in (Label, AnnotatedImage)]
        rows = [getattr(data, name) for name in ("label_import", "derivation", "statistics") if hasattr(data, name)]
        links = [
            *(link(url, model._meta.verbose_name_plural) for url, model in under),
            *(link(page_of(row), row._meta.verbose_name) for row in rows),
        ]
        return format_html_join(", ", "{}", ((one,) for one in links))


@admin.register(Label)
class LabelAdmin(HugeTableAdmin):
    list_display = ("name", "annotation_data", "position", "shown_color", "image_count", "annotation_count")
    related = ("annotation_data",)
    exact_searches = {r"[0-9]{1,18}": "annotation_data"}
    search_help_text = gettext_lazy("Annotation data's id.")
    readonly_fields = ("shown_color",)

    @display(description=gettext_lazy("colour"))
    def shown_color(self, label: Label) -> str:
        dot = '<svg viewBox="0 0 8 8" width="10" height="10"><circle cx="4" cy="4" r="4" fill="{}"/></svg> {}'
        return format_html(dot, label.color, label.color)


@admin.register(Statistics)
class StatisticsAdmin(LookOnlyAdmin):
    list_display = ("annotation_data", "computed_at")
    related = ("annotation_data",)
    search_fields = ("=annotation_data__id",)
    readonly_fields = ("computed_at",)


@admin.register(Derivation)
class DerivationAdmin(ShowsWorkState, LookOnlyAdmin):
    list_display = ("annotation_data", "source", "operation", "shown_state", "attempts", "created_at", "finished_at")
    list_filter = ("state", "operation")
    related = ("annotation_data", "source", "requested_by")
    search_fields = ("=annotation_data__id", "=source__id")
    readonly_fields = ("lease_until", "sent_at", "created_at")
