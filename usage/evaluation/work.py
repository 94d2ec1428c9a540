"""One evaluation: claimed by lease, read, judged. Killed at any line it starts over: an attempt begins with no rows."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import AnnotationDataStatus
from datasets.blobs.store import STORAGE_FAULTS
from deepcap.common.leases import OPEN_STATES, LeaseLost, WorkState
from usage.models import Evaluation, InferenceJob, PredictedImage
from usage.under import under

from .judging import judge
from .reading import read

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
COOL_OFF = timedelta(seconds=30)
OUTSIDE_FAULTS = (OperationalError, InterfaceError, *STORAGE_FAULTS)
ROWS_AT_A_TIME = 2_000
DUE_AT_A_TIME = 200


def run(evaluation_id: int) -> None:
    """Take an evaluation to its end, unless somebody else does.

    Faults from outside, a storage that does not answer, are raised; the evaluation is taken up again in a while.
    """
    work = Evaluation.objects.claim(evaluation_id)
    if work is None:
        return
    try:
        if work.attempts > MAX_ATTEMPTS:
            work.release(WorkState.FAILED, problem=_("It ended every worker that tried."), finished_at=timezone.now())
            logger.error("Evaluation %s was given up after %s attempts.", work.pk, MAX_ATTEMPTS)
            return
        _evaluate(work)
    except LeaseLost:
        logger.info("Evaluation %s was taken over or deleted.", evaluation_id)
    except OUTSIDE_FAULTS:
        Evaluation.objects.filter(pk=work.pk, lease_token=work.lease_token).update(
            lease_token=None, lease_until=timezone.now() + COOL_OFF, sent_at=None, attempts=F("attempts") - 1
        )
        raise


def due() -> list[int]:
    """Find evaluations that nobody works on although they could be, and note that they are announced again."""
    lost = Evaluation.objects.to_resend(older_than=settings.DEEPCAP_LEASE)
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:DUE_AT_A_TIME])
    Evaluation.objects.filter(pk__in=ids).update(sent_at=timezone.now())
    return ids


def cancel_under(target: models.Model) -> None:
    """Take the evaluations of jobs under ``target`` from their workers. Waits for what these are just writing."""
    _under(target).filter(state__in=OPEN_STATES).update(state=WorkState.CANCELLED, lease_token=None, lease_until=None)


def resume_under(target: models.Model) -> None:
    """Evaluations that :func:`cancel_under` ended start over; the sweep finds them."""
    _under(target).filter(state=WorkState.CANCELLED).update(state=WorkState.PENDING, attempts=0, sent_at=None)


def _under(target: models.Model) -> models.QuerySet[Evaluation]:
    jobs = under(target).get(InferenceJob)
    return Evaluation.objects.none() if jobs is None else Evaluation.objects.filter(inference_job__in=jobs)


def _evaluate(work: Evaluation) -> None:
    job = InferenceJob.objects.select_related("training_task", "predictions").get(pk=work.inference_job_id)
    truth_id = _truth_of(job)
    _empty(work, job)
    problem = read(job, truth_id=truth_id, hold=work.extend_lease)
    found = judge(job, truth_id=truth_id, hold=work.extend_lease)
    with transaction.atomic():
        if truth_id is not None and _truth_of(job) is None:  # it went meanwhile: what was measured is not the whole
            work.release(WorkState.PENDING, sent_at=None)
            return
        work.release(WorkState.DONE, problem=problem, finished_at=timezone.now(), **found)


def _truth_of(job: InferenceJob) -> int | None:
    truth = InferenceJob.objects.filter(pk=job.pk, ground_truth__status=AnnotationDataStatus.AVAILABLE)
    return truth.values_list("ground_truth", flat=True).first()


def _empty(work: Evaluation, job: InferenceJob) -> None:
    """Erase what an attempt before this has left, a piece a transaction."""
    while True:
        with transaction.atomic():
            work.extend_lease()
            rows = PredictedImage.objects.filter(inference_job=job).order_by("pk")
            pks = list(rows.values_list("pk", flat=True)[:ROWS_AT_A_TIME])
            if not pks:
                return
            PredictedImage.objects.filter(pk__in=pks)._raw_delete(rows.db)
