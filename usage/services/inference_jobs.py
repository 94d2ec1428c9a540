"""Making and renaming inference jobs."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import AnnotationData
from datasets.errors import ValueRefused
from datasets.models import Dataset
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.counting import count
from usage.errors import NotUsable
from usage.models import InferenceJob, TrainingTask, WorkStatus
from usage.under import counted_by

from .rules import clean_name, hold_annotation_data, hold_dataset, require_owner, require_ownership
from .work import change


@transaction.atomic
def create_inference_job(
    *,
    training_task: TrainingTask,
    dataset: Dataset,
    by: User,
    name: str,
    ground_truth: AnnotationData | None = None,
) -> InferenceJob:
    """Return a job that waits for an inference service; without ``ground_truth`` it will have predictions only.

    Raises NotTheOwner of either dataset, NotUsable when the task has no model or something is not available, and
    ValueRefused for ground truth of another dataset or type.
    """
    require_ownership(dataset, by)
    require_owner(training_task, by)
    name = clean_name(name)
    hold_dataset(training_task.annotation_data.dataset)  # before the other: a deletion takes its locks in this order
    hold_dataset(dataset)
    task = TrainingTask.objects.alive().select_for_update(no_key=True, of=("self",)).filter(pk=training_task.pk).first()
    if task is None or task.status != WorkStatus.FINISHED or task.model_id is None:
        raise NotUsable(_("This training task has no model yet."), code="no_model")
    if ground_truth is not None:
        if ground_truth.dataset_id != dataset.pk or ground_truth.annotation_type != task.annotation_type:
            message = _("The ground truth must belong to the dataset and have the annotation type of the model.")
            raise ValueRefused("ground_truth", message, code="ground_truth_mismatch")
        hold_annotation_data(ground_truth)
    job = InferenceJob.objects.create(
        training_task=task,
        dataset=dataset,
        ground_truth=ground_truth,
        prediction_only=ground_truth is None,
        name=name,
        created_by=by,
    )
    count(counted_by(job))
    record(actor=by, action="inferencejob.created", target=job, dataset=dataset.pk, training_task=task.pk)
    return job


@transaction.atomic
def rename_inference_job(*, inference_job: InferenceJob, by: User, name: str) -> InferenceJob:
    """Raises NotTheOwner, and ValueRefused."""
    require_owner(inference_job, by)
    InferenceJob.objects.filter(pk=inference_job.pk).update(name=clean_name(name))
    record(actor=by, action="inferencejob.renamed", target=inference_job)
    inference_job.refresh_from_db()
    return inference_job


def change_inference_job(
    *,
    inference_job: InferenceJob,
    by: User,
    status: str | None = None,
    status_detail: str | None = None,
    claim: str | None = None,
    **values: object,
) -> InferenceJob:
    """Report on a job, or take it to another status. Raises what ``work.advance`` and ``work.report`` raise."""
    change(row=inference_job, by=by, status=status, detail=status_detail, claim=claim, **values)
    return inference_job
