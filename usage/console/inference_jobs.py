"""``/inference-jobs/``: the list, a job, and the form that asks for one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.models import AnnotationDataStatus, SourceKind
from datasets.console.access import ConsolePage, ConsoleView
from deepcap.common.leases import WorkState
from usage.services.evaluations import evaluate_again, evaluation_of
from usage.services.inference_jobs import create_inference_job

from .forms import FormPage
from .inference_form import InferenceForm
from .kinds import INFERENCES, leads
from .listing import UsageList
from .live import live
from .made import made_from
from .predictions import predictions_of
from .report import report_of
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
        made = list(made_from(job, SourceKind.INFERENCE_JOB, user=self.request.user))
        context = live(INFERENCES, job) | {"leads": leads(self.request, job), "made": made}
        evaluation = evaluation_of(job)
        if evaluation is not None and evaluation.state == WorkState.DONE:
            available = (data for data in made if data.status == AnnotationDataStatus.AVAILABLE)
            context |= report_of(evaluation)
            context |= predictions_of(self.request, job, evaluation, made=next(available, None))
        return context


class InferenceJobCreate(FormPage):
    """With ``?training_task=`` the model is chosen already, with ``?dataset=`` the dataset."""

    template_name = "usage/inference_job_form.html"
    form_class = InferenceForm

    def done(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        return redirect(create_inference_job(by=request.user, **values))


class InferenceJobEvaluate(ConsoleView):
    """Has the predictions of a job compared with the ground truth once more."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = INFERENCES.get_or_404(request, pk)
        evaluate_again(inference_job=job, by=request.user)
        messages.success(request, _("The predictions are being read and compared once more."))
        return redirect(job)
