"""Predictions are evaluated once their job has finished; what people see of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import AnnotatedImage
from annotations.services.listings import annotations_of
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.leases import WorkState
from usage.models import Evaluation, InferenceJob, Outcome, PredictedImage
from usage.tasks import run_evaluation

from .rules import require_owner

AT_A_TIME = 500
ENDED = (WorkState.DONE, WorkState.FAILED)


def order_evaluation(inference_job: InferenceJob) -> None:
    """Have the predictions of a finished job evaluated, if it has any; call it in the transaction that finishes it."""
    if inference_job.predictions_id is None:
        return
    evaluation, _made = Evaluation.objects.get_or_create(
        inference_job=inference_job, defaults={"sent_at": timezone.now()}
    )
    run_evaluation.delay_on_commit(evaluation.pk)


@transaction.atomic
def evaluate_again(*, inference_job: InferenceJob, by: User) -> None:
    """Have predictions compared once more: that was given up, or the ground truth has changed since.

    Raises NotTheOwner, and WrongState unless there is an evaluation that has ended.
    """
    require_owner(inference_job, by)
    ended = Evaluation.objects.filter(inference_job=inference_job, state__in=ENDED)
    again = {"state": WorkState.PENDING, "attempts": 0, "sent_at": timezone.now(), "problem": "", "finished_at": None}
    if not ended.update(**again):
        raise WrongState(_("There are no predictions to compare, or they are being compared already."))
    record(actor=by, action="inferencejob.evaluated_again", target=inference_job)
    run_evaluation.delay_on_commit(Evaluation.objects.only("pk").get(inference_job=inference_job).pk)


def evaluation_of(inference_job: InferenceJob) -> Evaluation | None:
    """Return the evaluation of a job, under way or done; None when there is none."""
    return Evaluation.objects.filter(inference_job=inference_job).first()


def predicted_images(inference_job: InferenceJob, *, outcome: str | None = None) -> QuerySet[PredictedImage]:
    """Select the images of an evaluation that is done, right or wrong ones only where that is asked for."""
    rows = PredictedImage.objects.filter(inference_job=inference_job)
    rows = rows.filter(inference_job__evaluation__state=WorkState.DONE)
    return rows if outcome is None else rows.filter(outcome=outcome)


COLUMNS = ("path", "ground_truth", "predicted", "score", "outcome")


def rows_of_report(inference_job: InferenceJob) -> tuple[Sequence[str], Iterator[list[str]]]:
    """Return the table of an evaluation: its head, and its rows, an image each."""
    return COLUMNS, _rows(inference_job)


def _rows(inference_job: InferenceJob) -> Iterator[list[str]]:
    rows = predicted_images(inference_job).select_related("image").order_by("position", "pk")
    names = {Outcome.RIGHT.value: "right", Outcome.WRONG.value: "wrong", "": ""}
    last = -1
    while page := list(rows.filter(position__gt=last)[:AT_A_TIME]):
        truth = _true_labels(inference_job, page)
        for row in page:
            said = sorted({each["label"] for each in row.said if each.get("value") != 0})
            score = "" if row.score is None else str(row.score)
            yield [row.image.path, truth.get(row.image_id, ""), ", ".join(said), score, names[row.outcome]]
        last = page[-1].position


def _true_labels(inference_job: InferenceJob, page: list[PredictedImage]) -> dict[int, str]:
    truth = inference_job.ground_truth_id
    if truth is None:
        return {}
    listed = list(AnnotatedImage.objects.filter(annotation_data=truth, image__in=[row.image_id for row in page]))
    said = annotations_of(listed, with_masks=False)
    return {
        item.image_id: ", ".join(sorted({each.label.name for each in said.get(item.pk, []) if each.value != 0}))
        for item in listed
    }
