"""Datasets: how far they are, and what an operator may have done about one."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display

from datasets.deletion import impact
from datasets.models import Dataset, DatasetStatus, Image, Problem, Study
from datasets.services.deletions import CONFIRMATION, delete_dataset
from datasets.services.gallery import NO_MORE
from datasets.services.ingests import cancel_ingest, retry_ingest
from datasets.services.operators import recount_dataset, resend_ingest
from datasets.services.progress import progress_of, with_progress
from deepcap.accounts.models import User
from deepcap.common import formatting
from deepcap.common.admin import LookOnlyAdmin, Operation, as_size, link, list_of, page_of
from deepcap.common.leases import OPEN_STATES, WorkState

from .gallery import publish

STATUS_COLOURS = {
    DatasetStatus.UPLOADING.label: "info",
    DatasetStatus.QUEUED.label: "info",
    DatasetStatus.PREPARING.label: "info",
    DatasetStatus.AVAILABLE.label: "success",
    DatasetStatus.PREPARATION_FAILED.label: "danger",
    DatasetStatus.DELETING.label: "warning",
}
BYTE_COUNTS = {
    "size_bytes": gettext_lazy("bytes"),
    "shared_bytes": gettext_lazy("of these, shared with other datasets: they stay"),
}


def retry(dataset: Dataset, by: User) -> str:
    retry_ingest(dataset=dataset, by=by)
    return _("The ingest is tried again.")


def cancel(dataset: Dataset, by: User) -> str:
    cancel_ingest(dataset=dataset, by=by)
    return _("The ingest is cancelled; what was read can be kept.")


def count_again(dataset: Dataset, by: User) -> str:
    wrong = recount_dataset(dataset=dataset, by=by)
    if not wrong:
        return _("The stored counts were right.")
    changes = (f"{field} {stored} → {counted}" for field, (stored, counted) in wrong.items())
    return _("Corrected: %(changes)s.") % {"changes": ", ".join(changes)}


def resend(dataset: Dataset, by: User) -> str:
    messages = resend_ingest(ingest=dataset.ingest, by=by) if hasattr(dataset, "ingest") else 0
    return ngettext("%(n)d message was sent again.", "%(n)d messages were sent again.", messages) % {"n": messages}


def confirm_deletion(model_admin: ModelAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Show what goes with the dataset and ask for the word; given the word, delete."""
    if request.method == "POST":
        word = request.POST.get("confirmation")
        if model_admin.attempt(request, dataset, lambda row, by: _delete(row, by, word)):
            return redirect(list_of(Dataset))
    counted = [
        (BYTE_COUNTS[key], as_size(count)) if key in BYTE_COUNTS else (key.replace("_", " "), count)
        for key, count in impact(dataset).items()
    ]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Delete %(name)s") % {"name": dataset},
        "opts": model_admin.opts,
        "dataset": dataset,
        "back": page_of(dataset),
        "word": CONFIRMATION,
        "table": {"headers": [_("What goes"), _("How much")], "rows": counted},
    }
    return render(request, "admin/datasets/confirm_deletion.html", context)


def _delete(dataset: Dataset, by: User, word: str | None) -> str:
    deletion = delete_dataset(dataset=dataset, by=by, confirmation=word)
    return _("Deletion %(id)d was ordered.") % {"id": deletion.pk}


def _has_open_ingest(dataset: Dataset) -> bool:
    return hasattr(dataset, "ingest") and dataset.ingest.state in OPEN_STATES


@admin.register(Dataset)
class DatasetAdmin(LookOnlyAdmin):
    list_display = ("name", "shown_status", "owner", "study_count", "image_count", "size", "progress", "created_at")
    list_filter = ("status", "origin")
    search_fields = ("name", "=owner__username", "=id")
    search_help_text = gettext_lazy("A part of a name, a user's name, or an id.")
    related = ("owner",)
    fieldsets = (
        (None, {"fields": ("id", "name", "description", "owner", "shown_status", "status_detail", "progress")}),
        (gettext_lazy("Contents"), {"fields": ("image_format", "study_count", "image_count", "size", "tables")}),
        (gettext_lazy("Came"), {"fields": ("origin", "deidentified", "created_at", "published_at")}),
        (
            gettext_lazy("Use"),
            {
                "fields": (
                    "annotation_data_count",
                    "annotation_project_count",
                    "annotation_job_count",
                    "training_task_count",
                    "inference_job_count",
                )
            },
        ),
    )
    readonly_fields = ("id", "shown_status", "size", "progress", "tables", "created_at", "published_at")
    operations = (
        Operation(
            "retry",
            gettext_lazy("Retry the ingest"),
            retry,
            applies=lambda dataset: hasattr(dataset, "ingest") and dataset.ingest.state == WorkState.FAILED,
            icon="replay",
        ),
        Operation("cancel", gettext_lazy("Cancel the ingest"), cancel, applies=_has_open_ingest, icon="cancel"),
        Operation("resend", gettext_lazy("Send work messages again"), resend, applies=_has_open_ingest, icon="send"),
        Operation("recount", gettext_lazy("Recount"), count_again, icon="calculate"),
        Operation(
            "publish",
            gettext_lazy("Publish in the gallery …"),
            page=publish,
            applies=lambda dataset: dataset.status not in NO_MORE,
            icon="publish",
        ),
        Operation(
            "delete",
            gettext_lazy("Delete …"),
            page=confirm_deletion,
            applies=lambda dataset: dataset.status != DatasetStatus.DELETING,
            icon="delete",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        return with_progress(super().get_queryset(request))

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, dataset: Dataset) -> str:
        return dataset.get_status_display()

    @display(description=gettext_lazy("size"), ordering="size_bytes")
    def size(self, dataset: Dataset) -> str:
        return formatting.size(dataset.size_bytes)

    @display(description=gettext_lazy("progress"))
    def progress(self, dataset: Dataset) -> str:
        progress = progress_of(dataset)
        if not dataset.is_under_way or not progress.total:
            return "–"
        return f"{progress.stage} {progress.percentage} %"

    @display(description=gettext_lazy("tables"))
    def tables(self, dataset: Dataset) -> str:
        under = [(list_of(model, dataset__id__exact=dataset.pk), model) for model in (Study, Image, Problem)]
        rows = [getattr(dataset, name) for name in ("ingest", "upload") if hasattr(dataset, name)]
        links = [
            *(link(url, model._meta.verbose_name_plural) for url, model in under),
            *(link(page_of(row), row._meta.verbose_name) for row in rows),
        ]
        return format_html_join(", ", "{}", ((one,) for one in links))
