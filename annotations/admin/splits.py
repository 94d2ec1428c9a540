"""Saved splits: of what, how they were dealt, who holds on to them."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from annotations.models import Split
from annotations.services.splits import delete_split
from deepcap.accounts.models import User
from deepcap.common.admin import LookOnlyAdmin, Operation


def delete(split: Split, by: User) -> str:
    delete_split(split=split, by=by)
    return _("It was deleted; studies and labels stay.")


@admin.register(Split)
class SplitAdmin(LookOnlyAdmin):
    list_display = (
        "name",
        "annotation_data",
        "study_count",
        "seed",
        "by_patient",
        "stratified",
        "created_by",
        "created_at",
    )
    list_filter = ("by_patient", "stratified")
    related = ("annotation_data__dataset", "created_by")
    search_fields = ("name", "=annotation_data__id", "=annotation_data__name")
    fields = (
        "name",
        "annotation_data",
        "study_count",
        "parts",
        "seed",
        "by_patient",
        "stratified",
        "created_by",
        "created_at",
    )
    readonly_fields = ("parts", "created_at")
    operations = (Operation("delete", gettext_lazy("Delete"), delete, icon="delete"),)

    @display(description=gettext_lazy("parts"))
    def parts(self, split: Split) -> str:
        rows = ((part["name"], part["studies"], part["images"]) for part in split.report["parts"])
        return format_html_join("", "<div>{}: {} studies, {} images</div>", rows)
