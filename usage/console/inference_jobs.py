"""``/inference-jobs/``: the list, a job, the form that asks for one, and its predictions as annotation data."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.models import SourceKind
from datasets.console.access import ConsolePage
from usage.services.exports import export_predictions
from usage.services.inference_jobs import create_inference_job
from usage.services.rules import NAME_LENGTH

from .actions import UsageDialog
from .forms import FormPage
from .inference_form import InferenceForm
from .kinds import INFERENCES, leads
from .listing import UsageList
from .live import live
from .made import made_from
from .thumbs import with_covers


class InferenceJobList(UsageList):
    template_name = "usage/inference_job_list.html"
    kind = INFERENCES
    narrowed_by = {"dataset": "dataset", "annotation_data": "ground_truth", "training_task": "training_task"}
    searched = ("name", "dataset__name", "training_task__name")
    columns = {"accuracy": "accuracy"}

    def shown(self, rows: list[Any]) -> list[Any]:
        return with_covers(rows, user=self.request.user)


class InferenceJobDetail(ConsolePage):
    template_name = "usage/inference_job_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        job = INFERENCES.get_or_404(self.request, pk)
        return live(INFERENCES, job) | {
            "leads": leads(self.request, job),
            "made": made_from(job, SourceKind.INFERENCE_JOB, user=self.request.user),
        }


class InferenceJobCreate(FormPage):
    """With ``?training_task=`` the model is chosen already, with ``?dataset=`` the dataset."""

    template_name = "usage/inference_job_form.html"
    form_class = InferenceForm

    def done(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        return redirect(create_inference_job(by=request.user, **values))


class InferenceJobExport(UsageDialog):
    """Makes annotation data of the predictions, which stand on their own from then on."""

    template_name = "usage/dialogs/export.html"
    kind = INFERENCES

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pk) | {"name_length": NAME_LENGTH}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = INFERENCES.get_or_404(request, pk)
        data = export_predictions(inference_job=job, by=request.user, name=request.POST.get("name", "").strip() or None)
        messages.info(request, _("“%(name)s” is being made.") % {"name": data.name})
        return redirect(data)
