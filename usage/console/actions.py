"""What people do with a record of any kind: rename, stop, delete. Each is a dialog and the service it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from datasets.console.access import ConsolePage, ConsoleView
from datasets.console.deletions import restorable_now
from datasets.services.deletions import CONFIRMATION
from usage.services.deletions import delete_usage, usage_impact
from usage.services.inference_jobs import rename_inference_job
from usage.services.rules import NAME_LENGTH
from usage.services.titles import title_of
from usage.services.training_tasks import rename_training_task
from usage.services.work import stop

from .kinds import INFERENCES, TRAININGS, Kind
from .live import is_under_way, live
from .names import names_under

RENAMES: dict[str, Callable[..., Any]] = {
    TRAININGS.slug: lambda *, row, by, name: rename_training_task(training_task=row, by=by, name=name),
    INFERENCES.slug: lambda *, row, by, name: rename_inference_job(inference_job=row, by=by, name=name),
}


class UsageDialog(ConsolePage):
    """A dialog about one record."""

    kind: Any = None

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        row = self.kind.get_or_404(self.request, pk)
        return {"kind": self.kind, "row": row, "title": title_of(row), "action": self.request.path}


class UsageRename(UsageDialog):
    template_name = "includes/rename_dialog.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return {"heading": _("Rename"), "named": self.kind.get_or_404(self.request, pk), "name_length": NAME_LENGTH}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.kind.get_or_404(request, pk)
        RENAMES[self.kind.slug](row=row, by=request.user, name=request.POST.get("name", ""))
        return back(request, self.kind, row)


class UsageStop(UsageDialog):
    """Ends work for good; the service that does it is told at its next word."""

    template_name = "usage/dialogs/stop.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.kind.get_or_404(request, pk)
        stop(row=row, by=request.user, detail=_("Stopped by %(name)s.") % {"name": request.user.display_name})
        messages.success(request, _("“%(name)s” was stopped.") % {"name": title_of(row)})
        return back(request, self.kind, row)


class UsageDelete(UsageDialog):
    """Says what goes with a record, and has it deleted once DELETE was typed."""

    template_name = "usage/dialogs/delete.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(pk)
        return context | {
            "impact": usage_impact(context["row"]),
            "names": names_under(context["row"]),
            "trash_days": settings.DEEPCAP_TRASH_DAYS,
            "word": CONFIRMATION,
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.kind.get_or_404(request, pk)
        deletion = delete_usage(row=row, by=request.user, confirmation=request.POST.get("confirmation"))
        waits = restorable_now(deletion)
        text = _("“%(name)s” can still be restored.") if waits else _("“%(name)s” is being deleted.")
        link = format_html('<a href="{}">{}</a>', reverse("deletion-receipt", args=[deletion.pk]), _("Receipt"))
        messages.success(request, format_html("{} {}", text % {"name": title_of(row)}, link))
        return redirect(self.kind.url("list"))


class UsageProgress(ConsoleView):
    """How far a record is, asked for every few seconds; once it has ended, the page is told so.

    A page may say which ``status`` it shows: it is told once that the work has ended, though its evaluation goes on.
    """

    kind: Any = None

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self.kind.get_or_404(request, pk)
        ended = request.GET.get("status") in self.kind.under_way and row.status not in self.kind.under_way
        if ended or not is_under_way(self.kind, row):
            return trigger_client_event(HttpResponse(status=204), "deepcap:dataset-settled")
        return render(request, f"usage/live/{self.kind.slug}.html", live(self.kind, row))


def back(request: HttpRequest, kind: Kind, row: Any) -> HttpResponse:
    """Return to the list, as it was, if that is where the dialog was opened, otherwise to the record."""
    here = request.htmx.current_url_abs_path if request.htmx else None
    return redirect(here if here and here.split("?")[0] == kind.url("list") else row)
