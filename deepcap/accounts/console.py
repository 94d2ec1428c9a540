"""The bell: what ended while the person was elsewhere."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView, View
from django_htmx.http import trigger_client_event

from .models import Notification
from .services import mark_notifications_read

NEWEST = 30


class NotificationsPanel(LoginRequiredMixin, TemplateView):
    """The newest notifications; showing them marks them as read."""

    template_name = "accounts/notifications_panel.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"notifications": list(Notification.objects.filter(user=self.request.user)[:NEWEST])}


class NotificationsRead(LoginRequiredMixin, View):
    """Marks what the person has seen, up to the newest that was shown to them."""

    def post(self, request: HttpRequest) -> HttpResponse:
        mark_notifications_read(user=request.user, up_to=number(request.POST.get("up_to", "")))
        return trigger_client_event(HttpResponse(status=204), "deepcap:notifications-read")


class BellState(LoginRequiredMixin, View):
    """Whether something is unread; what is newer than ``?after=`` is shown as a toast."""

    def get(self, request: HttpRequest) -> HttpResponse:
        unread = Notification.objects.filter(user=request.user, read_at=None)
        newest = list(unread[:NEWEST])
        after = request.GET.get("after", "")
        latest = max([number(after), *(notification.pk for notification in newest)])
        response = render(request, "accounts/bell_state.html", {"is_unread": bool(newest), "latest": latest})
        fresh = [notification for notification in newest if notification.pk > number(after)] if after else []
        return trigger_client_event(response, "deepcap:toast", toast_of(fresh)) if fresh else response


def toast_of(fresh: list[Notification]) -> dict[str, Any]:
    """Return what the console's toast says of one or more new notifications."""
    if len(fresh) > 1:
        text = ngettext("%(n)d new notification", "%(n)d new notifications", len(fresh)) % {"n": len(fresh)}
        return {"text": text, "level": "info"}
    failed = fresh[0].kind.endswith("_failed")
    toast: dict[str, Any] = {"text": fresh[0].text, "level": "warning" if failed else "success"}
    return toast | {"action": {"href": fresh[0].url, "text": _("View details")}} if fresh[0].url else toast


def number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0
