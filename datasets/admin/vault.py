"""The vault: blobs and who refers to them, what is ordered to go, and whether bucket and tables agree."""

from __future__ import annotations

import time
from itertools import islice

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import foreign_keys_into_blobs
from datasets.models import Blob, StorageRemoval, VaultCandidate, WriteIntent
from deepcap.common import formatting
from deepcap.common.admin import HugeTableAdmin, LookOnlyAdmin

SECONDS = 20
FINDINGS = 200


@admin.register(Blob)
class BlobAdmin(HugeTableAdmin):
    list_display = ("digest", "shown_size", "references", "has_thumbnail", "created_at", "touched_at")
    exact_searches = {r"[0-9a-f]{64}": "digest"}
    search_help_text = gettext_lazy("A whole SHA-256, hexadecimal.")
    fields = ("digest", "shown_size", "references", "stem", "has_thumbnail", "created_at", "touched_at")
    readonly_fields = ("shown_size", "references", "created_at")
    list_before_template = "admin/datasets/reconcile_link.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Blob]:
        return super().get_queryset(request).annotate(reference_count=_reference_count())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Blob], search_term: str
    ) -> tuple[QuerySet[Blob], bool]:
        return super().get_search_results(request, queryset, search_term.lower())

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reconcile_view)
        return [path("reconcile/", view, name="datasets_blob_reconcile"), *super().get_urls()]

    def reconcile_view(self, request: HttpRequest) -> HttpResponse:
        """Compare bucket and tables for at most SECONDS, on POST; nothing is repaired here."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Compare storage and tables"),
            "opts": self.opts,
            "seconds": SECONDS,
            "most": FINDINGS,
        }
        if request.method == "POST":
            context.update(self._report())
        return render(request, "admin/datasets/reconcile.html", context)

    def _report(self) -> dict[str, object]:
        """Return what was found, and whether everything has been looked at."""
        deadline = time.monotonic() + SECONDS
        findings = list(islice(reconcile(until=deadline), FINDINGS))
        rows = [
            [finding.fault.value, finding.key, "–" if finding.size is None else formatting.size(finding.size)]
            for finding in findings
        ]
        return {
            "reported": True,
            "complete": len(findings) < FINDINGS and time.monotonic() < deadline,
            "table": {"headers": [_("Fault"), _("Key"), _("Size")], "rows": rows},
        }

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, blob: Blob) -> str:
        return formatting.size(blob.size)

    @display(description=gettext_lazy("references"))
    def references(self, blob: Blob) -> int:
        return blob.reference_count


@admin.register(StorageRemoval)
class StorageRemovalAdmin(LookOnlyAdmin):
    list_display = ("prefix", "shown_size", "object_count", "attempts", "deletion", "created_at")
    related = ("deletion",)
    search_fields = ("^prefix",)
    readonly_fields = ("created_at",)

    @display(description=gettext_lazy("size"), ordering="size")
    def shown_size(self, removal: StorageRemoval) -> str:
        return formatting.size(removal.size)


@admin.register(WriteIntent)
class WriteIntentAdmin(LookOnlyAdmin):
    list_display = ("prefix", "created_at", "expires_at")
    search_fields = ("^prefix",)
    readonly_fields = ("created_at",)


@admin.register(VaultCandidate)
class VaultCandidateAdmin(LookOnlyAdmin):
    list_display = ("blob_pk", "deletion")
    related = ("deletion",)
    search_fields = ("=blob_pk",)


def _reference_count():
    """Count the rows that refer to a blob, table by table, as the sweep would find them."""
    counts = []
    for key in foreign_keys_into_blobs():
        rows = key.model._base_manager.filter(**{key.attname: OuterRef("pk")}).order_by()
        counted = rows.values(key.attname).annotate(count=Count("pk")).values("count")
        counts.append(Coalesce(Subquery(counted), 0))
    return sum(counts[1:], start=counts[0])
