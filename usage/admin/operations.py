"""What operators do about usage: stop work, count again. Each calls a service or the work package, and is logged."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deepcap.accounts.models import User
from deepcap.common.admin import Operation
from usage.models import TRANSITIONS
from usage.services.operators import free_claim
from usage.services.work import stop

STATUS_COLOURS = {
    gettext_lazy("Waiting"): "info",
    gettext_lazy("Publishing"): "info",
    gettext_lazy("Running"): "warning",
    gettext_lazy("In progress"): "warning",
    gettext_lazy("Ongoing"): "warning",
    gettext_lazy("Finished"): "success",
    gettext_lazy("Error"): "danger",
}


def stop_work(row: Any, by: User) -> str:
    stop(row=row, by=by, detail=_("Stopped by an operator."))
    return _("Stopped.")


def take_away(row: Any, by: User) -> str:
    free_claim(row=row, by=by)
    return _("The service has lost it; another one may take it.")


def can_be_stopped(row: Any) -> bool:
    return row.status in TRANSITIONS[type(row)]["stop"].sources


STOP = Operation("stop", gettext_lazy("Stop"), stop_work, applies=can_be_stopped, icon="stop")
TAKE_AWAY = Operation(
    "take-away",
    gettext_lazy("Take away from its service"),
    take_away,
    applies=lambda row: row.lease_until is not None,
    icon="link_off",
)
