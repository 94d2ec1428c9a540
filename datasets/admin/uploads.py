"""Uploads: who sends what, how much has arrived, and giving one up."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from datasets.models import Upload, UploadPart, UploadState
from datasets.services.uploads import abort_upload
from deepcap.accounts.models import User
from deepcap.common import formatting
from deepcap.common.admin import CappedInline, LookOnlyAdmin, Operation


def give_up(upload: Upload, by: User) -> str:
    abort_upload(upload=upload, by=by)
    return _("The upload was given up; its parts and its dataset are gone.")


class PartInline(CappedInline):
    model = UploadPart
    fields = ("number", "size", "etag")


@admin.register(Upload)
class UploadAdmin(LookOnlyAdmin):
    list_display = ("filename", "dataset", "created_by", "state", "shown_size", "parts_received", "expires_at")
    list_filter = ("state",)
    related = ("dataset", "created_by")
    search_fields = ("filename", "=created_by__username")
    search_help_text = gettext_lazy("A part of a file's name, or a user's name.")
    fields = (
        "dataset",
        "filename",
        "state",
        "shown_size",
        "part_size",
        "parts_received",
        "storage_key",
        "created_by",
        "created_at",
        "expires_at",
    )
    readonly_fields = ("shown_size", "parts_received", "created_at")
    inlines = (PartInline,)
    operations = (
        Operation(
            "give-up",
            gettext_lazy("Give the upload up"),
            give_up,
            applies=lambda upload: upload.state == UploadState.OPEN,
            icon="cancel",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        parts = UploadPart.objects.filter(upload=OuterRef("pk")).order_by().values("upload")
        received = Subquery(parts.annotate(count=Count("pk")).values("count"))
        return super().get_queryset(request).annotate(received=Coalesce(received, 0))

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, upload: Upload) -> str:
        return formatting.size(upload.size)

    @display(description=gettext_lazy("parts received"))
    def parts_received(self, upload: Upload) -> str:
        return f"{upload.received} / {upload.part_count}"
