"""Deletions: how far each is, what it took with it, and having one go on or undone."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from datasets.models import Deletion, DeletionStage, StorageRemoval
from datasets.services import deletions as services
from datasets.services.operators import resend_deletion
from deepcap.accounts.models import User
from deepcap.common import formatting
from deepcap.common.admin import LookOnlyAdmin, Operation, link, list_of

STAGE_COLOURS = {
    DeletionStage.WAITING.label: "info",
    DeletionStage.ROWS.label: "warning",
    DeletionStage.OBJECTS.label: "warning",
    DeletionStage.DONE.label: "success",
    DeletionStage.RESTORED.label: "info",
}
UNDER_WAY = (DeletionStage.ROWS, DeletionStage.OBJECTS)


def run_again(deletion: Deletion, by: User) -> str:
    resend_deletion(deletion=deletion, by=by)
    return _("The deletion goes on.")


def restore(deletion: Deletion, by: User) -> str:
    return _("Restored as %(name)s.") % {"name": services.restore(deletion=deletion, by=by)}


def _can_be_restored(deletion: Deletion) -> bool:
    return deletion.stage == DeletionStage.WAITING


@admin.register(Deletion)
class DeletionAdmin(LookOnlyAdmin):
    list_display = (
        "target_name",
        "target_type",
        "shown_stage",
        "requested_by_name",
        "requested_at",
        "attempts",
        "objects_removed",
        "bytes_gone",
        "finished_at",
    )
    list_filter = ("stage",)
    related = ("owner", "requested_by")
    search_fields = ("target_name", "=requested_by_name", "=target_id")
    search_help_text = gettext_lazy("A part of the target's name, its id, or the name of who asked.")
    fieldsets = (
        (None, {"fields": ("target_type", "target_id", "target_name", "owner", "requested_by", "requested_at")}),
        (
            gettext_lazy("Work"),
            {
                "fields": (
                    "shown_stage",
                    "restorable_until",
                    "state",
                    "lease_until",
                    "attempts",
                    "sent_at",
                    "finished_at",
                    "removals",
                )
            },
        ),
        (gettext_lazy("Receipt"), {"fields": ("impact", "counts", "objects_removed", "bytes_gone")}),
    )
    readonly_fields = ("shown_stage", "lease_until", "sent_at", "requested_at", "bytes_gone", "removals")
    operations = (
        Operation(
            "run",
            gettext_lazy("Run again"),
            run_again,
            applies=lambda deletion: deletion.stage in UNDER_WAY,
            icon="send",
        ),
        Operation("restore", gettext_lazy("Restore"), restore, applies=_can_be_restored, icon="undo"),
    )

    @display(description=gettext_lazy("stage"), ordering="stage", label=STAGE_COLOURS)
    def shown_stage(self, deletion: Deletion) -> str:
        return deletion.get_stage_display()

    @display(description=gettext_lazy("bytes removed"), ordering="bytes_removed")
    def bytes_gone(self, deletion: Deletion) -> str:
        return formatting.size(deletion.bytes_removed)

    @display(description=gettext_lazy("objects still to go"))
    def removals(self, deletion: Deletion) -> str:
        return link(list_of(StorageRemoval, deletion__id__exact=deletion.pk), gettext_lazy("Ordered removals"))
