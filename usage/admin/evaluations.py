"""Evaluations of predictions: why one was given up, and to have predictions compared once more."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deepcap.accounts.models import User
from deepcap.common.admin import LookOnlyAdmin, Operation, ShowsWorkState
from usage.models import Evaluation
from usage.services.evaluations import ENDED, evaluate_again


def compare_again(evaluation: Evaluation, by: User) -> str:
    evaluate_again(inference_job=evaluation.inference_job, by=by)
    return _("The predictions are compared once more.")


@admin.register(Evaluation)
class EvaluationAdmin(ShowsWorkState, LookOnlyAdmin):
    list_display = (
        "inference_job",
        "shown_state",
        "image_count",
        "judged_count",
        "right_count",
        "attempts",
        "finished_at",
    )
    list_filter = ("state",)
    related = ("inference_job__dataset", "inference_job__training_task")
    search_fields = ("inference_job__name", "=inference_job__id")
    fields = (
        "inference_job",
        "shown_state",
        "problem",
        "image_count",
        "judged_count",
        "right_count",
        "attempts",
        "lease_until",
        "sent_at",
        "finished_at",
    )
    readonly_fields = ("shown_state", "lease_until", "sent_at")
    operations = (
        Operation(
            "compare-again",
            gettext_lazy("Compare again"),
            compare_again,
            applies=lambda evaluation: evaluation.state in ENDED,
            icon="replay",
        ),
    )
