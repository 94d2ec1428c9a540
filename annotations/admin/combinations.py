"""Datasets that are being made of others: how far each is, what was asked for, and to stop one."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from annotations.models import Combination
from annotations.services.combinations import stop_combination
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.common.admin import LookOnlyAdmin, Operation, ShowsWorkState
from deepcap.common.leases import OPEN_STATES

MOST_CHARACTERS = 20_000


def stop(combination: Combination, by: User) -> str:
    if not stop_combination(combination.dataset, by=by):
        raise WrongState(_("It is not under way."))
    return _("It was stopped; its dataset can be deleted.")


@admin.register(Combination)
class CombinationAdmin(ShowsWorkState, LookOnlyAdmin):
    list_display = ("dataset", "stage", "shown_state", "attempts", "requested_by", "created_at", "finished_at")
    list_filter = ("state", "stage")
    related = ("dataset", "annotation_data__dataset", "requested_by")
    search_fields = ("dataset__name", "=dataset__id", "=requested_by__username")
    fields = (
        "dataset",
        "annotation_data",
        "stage",
        "shown_state",
        "place",
        "shown_recipe",
        "attempts",
        "lease_until",
        "sent_at",
        "requested_by",
        "created_at",
        "finished_at",
    )
    readonly_fields = ("shown_state", "shown_recipe", "lease_until", "sent_at", "created_at")
    operations = (
        Operation(
            "stop",
            gettext_lazy("Stop"),
            stop,
            applies=lambda combination: combination.state in OPEN_STATES,
            icon="stop",
        ),
    )

    @display(description=gettext_lazy("recipe"))
    def shown_recipe(self, combination: Combination) -> str:
        """Return what was asked for; of very many studies picked by hand the first."""
        text = json.dumps(combination.recipe, indent=2, ensure_ascii=False)
        return format_html("<pre>{}{}</pre>", text[:MOST_CHARACTERS], "…" if len(text) > MOST_CHARACTERS else "")
