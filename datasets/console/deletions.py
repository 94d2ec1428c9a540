"""Deleting a dataset: the dialog that says what goes, the receipt of what went, and the way back while there is one."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from datasets.deletion import impact, receipt
from datasets.models import Deletion, DeletionStage
from datasets.services.deletions import CONFIRMATION, delete_dataset, restore
from deepcap.common.leases import WorkState

from .access import ConsolePage, ConsoleView, back, dataset_or_404, size_of_page

PAGE_SIZES = (5, 10, 25)
KINDS = {
    "studies": _("Studies"),
    "images": _("Images"),
    "annotation_data": _("Annotation data"),
    "annotations": _("Annotations"),
    "annotation_projects": _("Annotation projects"),
    "annotation_jobs": _("Jobs"),
    "training_tasks": _("Training tasks"),
    "inference_jobs": _("Inference jobs"),
}


class DatasetDelete(ConsolePage):
    template_name = "datasets/dialogs/delete.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        dataset = dataset_or_404(self.request, pk)
        expected = impact(dataset)
        return {
            "dataset": dataset,
            "action": self.request.path,
            "impact": expected,
            "freed_bytes": expected["size_bytes"] - expected["shared_bytes"],
            "trash_days": settings.DEEPCAP_TRASH_DAYS,
            "word": CONFIRMATION,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        deletion = delete_dataset(dataset=dataset, by=request.user, confirmation=request.POST.get("confirmation"))
        waits = restorable_now(deletion)
        text = _("Dataset “%(name)s” can still be restored.") if waits else _("Dataset “%(name)s” is being deleted.")
        link = format_html('<a href="{}">{}</a>', reverse("deletion-receipt", args=[deletion.pk]), _("Receipt"))
        messages.success(request, format_html("{} {}", text % {"name": dataset.name}, link))
        return back(request, otherwise="dataset-list")


class DeletionReceipt(ConsolePage):
    template_name = "datasets/deletion_receipt.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        deletion = deletion_or_404(self.request, pk)
        said = receipt(deletion)
        lines = [(label, said["impact"].get(kind, 0), said["counts"].get(kind, 0)) for kind, label in KINDS.items()]
        lines = [line for line in lines if line[1] or line[2]] or lines[:1]
        return {
            "deletion": deletion,
            "receipt": said,
            "lines": lines,
            "is_restorable": restorable_now(deletion),
        }


class DeletionRestore(ConsoleView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = restore(deletion=deletion_or_404(request, pk), by=request.user)
        messages.success(request, _("“%(name)s” is back.") % {"name": row})
        return redirect(row)


class DeletionList(ConsolePage):
    template_name = "datasets/deletion_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        size = size_of_page(self.request, PAGE_SIZES, default=10)
        deletions = deletions_of(self.request).order_by("-requested_at", "-pk")
        page = Paginator(deletions, size).get_page(self.request.GET.get("page"))
        rows = [(deletion, kind_of(deletion), restorable_now(deletion)) for deletion in page.object_list]
        return {"page_obj": page, "page_sizes": PAGE_SIZES, "rows": rows}


def deletions_of(request: HttpRequest) -> QuerySet[Deletion]:
    """Select the deletions that this person may see: of datasets, and of what hung under them."""
    return Deletion.objects.visible_to(request.user)


def kind_of(deletion: Deletion) -> str:
    """Return what was deleted, in words: "Dataset", "Annotation data"."""
    return capfirst(apps.get_model(deletion.target_type)._meta.verbose_name)


def restorable(request: HttpRequest) -> QuerySet[Deletion]:
    """Select those of them that can still be taken back."""
    return deletions_of(request).filter(
        stage=DeletionStage.WAITING, state=WorkState.PENDING, restorable_until__gt=timezone.now()
    )


def restorable_now(deletion: Deletion) -> bool:
    until = deletion.restorable_until
    waits = deletion.stage == DeletionStage.WAITING and deletion.state == WorkState.PENDING
    return waits and until is not None and until > timezone.now()


def deletion_or_404(request: HttpRequest, pk: int) -> Deletion:
    return get_object_or_404(deletions_of(request), pk=pk)
