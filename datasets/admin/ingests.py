"""Ingests, their batches, and what became no image."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from datasets.models import Ingest, IngestBatch, Problem
from datasets.services.operators import resend_ingest
from deepcap.accounts.models import User
from deepcap.common import formatting
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
from deepcap.common.leases import OPEN_STATES

LEASE = ("state", "lease_until", "attempts", "sent_at")


def announce_ingest(ingest: Ingest, by: User) -> str:
    messages = resend_ingest(ingest=ingest, by=by)
    return ngettext("%(n)d message was sent again.", "%(n)d messages were sent again.", messages) % {"n": messages}


def announce_batch(batch: IngestBatch, by: User) -> str:
    """Messages name an ingest, not a batch: whoever gets one takes the first batch that waits."""
    return announce_ingest(batch.ingest, by)


class BatchInline(CappedInline):
    model = IngestBatch
    fields = ("number", "state", "member_count", "byte_count", "attempts", "lease_until")
    readonly_fields = ("lease_until",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[IngestBatch]:
        return super().get_queryset(request).defer("members")


@admin.register(Ingest)
class IngestAdmin(ShowsWorkState, LookOnlyAdmin):
    list_display = ("dataset", "stage", "shown_state", "attempts", "files", "accepted", "rejected", "created_at")
    list_filter = ("state", "stage")
    related = ("dataset",)
    search_fields = ("dataset__name", "=dataset__id")
    search_help_text = gettext_lazy("A part of the dataset's name, or its id.")
    fieldsets = (
        (None, {"fields": ("dataset", "stage", *LEASE, "cancelled_at", "problems", "batches")}),
        (
            gettext_lazy("Files"),
            {"fields": ("container", "name_encoding", "files", "bytes_read", "accepted", "skipped", "rejected")},
        ),
        (gettext_lazy("When"), {"fields": ("created_at", "started_at", "finished_at")}),
    )
    readonly_fields = ("lease_until", "sent_at", "problems", "batches", "files", "bytes_read", "created_at")
    inlines = (BatchInline,)
    operations = (
        Operation(
            "announce",
            gettext_lazy("Announce again"),
            announce_ingest,
            applies=lambda ingest: ingest.state in OPEN_STATES,
            icon="send",
        ),
    )

    @display(description=gettext_lazy("files"))
    def files(self, ingest: Ingest) -> str:
        return f"{ingest.done_members} / {ingest.member_count}"

    @display(description=gettext_lazy("bytes"))
    def bytes_read(self, ingest: Ingest) -> str:
        return f"{formatting.size(ingest.done_bytes)} / {formatting.size(ingest.byte_count)}"

    @display(description=gettext_lazy("problems"))
    def problems(self, ingest: Ingest) -> str:
        return link(list_of(Problem, dataset__id__exact=ingest.dataset_id), gettext_lazy("Rejected and skipped files"))

    @display(description=gettext_lazy("batches"))
    def batches(self, ingest: Ingest) -> str:
        return link(list_of(IngestBatch, ingest__id__exact=ingest.pk), gettext_lazy("All batches"))


@admin.register(IngestBatch)
class IngestBatchAdmin(ShowsWorkState, HugeTableAdmin):
    list_display = ("number", "dataset", "shown_state", "member_count", "size", "attempts", "lease_until", "sent_at")
    list_filter = ("state",)
    related = ("ingest__dataset",)
    exact_searches = {r"[0-9]{1,18}": "ingest__dataset"}
    search_help_text = gettext_lazy("A dataset's id.")
    fields = ("ingest", "number", *LEASE, "member_count", "size", "shown_members")
    readonly_fields = ("lease_until", "sent_at", "size", "shown_members")
    operations = (
        Operation(
            "announce",
            gettext_lazy("Announce again"),
            announce_batch,
            applies=lambda batch: batch.state in OPEN_STATES,
            icon="send",
        ),
    )
    MEMBERS = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[IngestBatch]:
        return super().get_queryset(request).defer("members")

    @display(description=gettext_lazy("dataset"))
    def dataset(self, batch: IngestBatch) -> str:
        return link(page_of(batch.ingest.dataset), batch.ingest.dataset)

    @display(description=gettext_lazy("size"))
    def size(self, batch: IngestBatch) -> str:
        return formatting.size(batch.byte_count)

    @display(description=gettext_lazy("first members"))
    def shown_members(self, batch: IngestBatch) -> str:
        """What the archive's directory says of the first members; nothing of a batch that is done."""
        return "\n".join(str(member) for member in batch.members[: self.MEMBERS]) or "–"


@admin.register(Problem)
class ProblemAdmin(HugeTableAdmin):
    list_display = ("path", "shown_outcome", "code", "message", "dataset")
    list_filter = ("outcome",)
    related = ("dataset",)
    exact_searches = {r"[0-9]{1,18}": "dataset"}
    search_help_text = gettext_lazy("A dataset's id.")

    @display(description=gettext_lazy("outcome"), label={"Rejected": "danger", "Skipped": "info"})
    def shown_outcome(self, problem: Problem) -> str:
        return problem.get_outcome_display()
