"""The bell of this room: what services left lying waits again, and counts are counted again."""

from celery import shared_task

from . import counting, evaluation
from .claims import return_abandoned
from .forget import forget_old_requests
from .models import AnnotationProject, InferenceJob, TrainingTask


@shared_task
def run_evaluation(evaluation_id: int) -> None:
    """Read and measure the predictions of an inference job; a second delivery finds nothing to claim."""
    evaluation.run(evaluation_id)


@shared_task
def sweep_claims() -> None:
    """Work whose service fell silent waits for another; evaluations that nobody works on are announced again."""
    for evaluation_id in evaluation.due():
        run_evaluation.delay(evaluation_id)
    for model in (TrainingTask, InferenceJob, AnnotationProject):
        return_abandoned(model)
    forget_old_requests()


@shared_task
def recount_usage() -> None:
    """Compare the stored counts of usage with the records they count."""
    counting.recount_all()
