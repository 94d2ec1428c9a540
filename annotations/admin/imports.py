"""Imports of label files, and what of the files was not used."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from annotations.models import LabelImport, LabelProblem
from annotations.services.imports import retry_import
from annotations.services.operators import cancel_import, resend_import
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.common import formatting
from deepcap.common.admin import CappedInline, HugeTableAdmin, LookOnlyAdmin, Operation, ShowsWorkState, link, list_of
from deepcap.common.leases import OPEN_STATES


def retry(label_import: LabelImport, by: User) -> str:
    if label_import.annotation_data is None:
        raise WrongState(_("This import has no annotation data yet: its dataset's ingest reads it."))
    retry_import(annotation_data=label_import.annotation_data, by=by)
    return _("The file is read again.")


def cancel(label_import: LabelImport, by: User) -> str:
    cancel_import(label_import=label_import, by=by)
    return _("The import is cancelled.")


def resend(label_import: LabelImport, by: User) -> str:
    resend_import(label_import=label_import, by=by)
    return _("A message was sent again.")


class ProblemInline(CappedInline):
    model = LabelProblem
    fields = ("path", "row", "column", "code", "message")
    ordering = ("pk",)


@admin.register(LabelImport)
class LabelImportAdmin(ShowsWorkState, LookOnlyAdmin):
    list_display = (
        "filename",
        "dataset",
        "annotation_data",
        "file_format",
        "stage",
        "shown_state",
        "attempts",
        "bytes_read",
        "problem_count",
        "created_at",
    )
    list_filter = ("state", "stage", "file_format")
    related = ("dataset", "annotation_data__dataset", "blob", "requested_by")
    search_fields = ("filename", "=dataset__id", "=annotation_data__id")
    search_help_text = gettext_lazy("A part of the file's name, a dataset's id, or annotation data's id.")
    fieldsets = (
        (None, {"fields": ("dataset", "annotation_data", "filename", "file_format", "options", "blob")}),
        (gettext_lazy("Work"), {"fields": ("stage", "state", "lease_until", "attempts", "sent_at", "requested_by")}),
        (gettext_lazy("Rows"), {"fields": ("row_count", "bytes_read", "problem_count", "problems_by_code", "all")}),
        (gettext_lazy("When"), {"fields": ("created_at", "finished_at")}),
    )
    readonly_fields = ("lease_until", "sent_at", "bytes_read", "all", "created_at")
    inlines = (ProblemInline,)
    operations = (
        Operation(
            "retry",
            gettext_lazy("Read the file again"),
            retry,
            applies=lambda row: row.state not in OPEN_STATES,
            icon="replay",
        ),
        Operation(
            "cancel", gettext_lazy("Cancel"), cancel, applies=lambda row: row.state in OPEN_STATES, icon="cancel"
        ),
        Operation(
            "announce",
            gettext_lazy("Announce again"),
            resend,
            applies=lambda row: row.state in OPEN_STATES,
            icon="send",
        ),
    )

    @display(description=gettext_lazy("bytes"))
    def bytes_read(self, label_import: LabelImport) -> str:
        return f"{formatting.size(label_import.done_bytes)} / {formatting.size(label_import.total_bytes)}"

    @display(description=gettext_lazy("all problems"))
    def all(self, label_import: LabelImport) -> str:
        return link(list_of(LabelProblem, label_import__id__exact=label_import.pk), gettext_lazy("All problems"))


@admin.register(LabelProblem)
class LabelProblemAdmin(HugeTableAdmin):
    list_display = ("path", "row", "column", "code", "message", "label_import")
    related = ("label_import",)
    exact_searches = {r"[0-9]{1,18}": "label_import"}
    search_help_text = gettext_lazy("An import's id.")
