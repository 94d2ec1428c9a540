"""Who uses datasets and their annotation data: projects, jobs, training tasks, inference jobs."""

from .annotation_job import AnnotationJob, JobStatus, JobStudy, StudyState
from .annotation_project import (
    AnnotationProject,
    JobRole,
    MemberState,
    ProjectAnnotationData,
    ProjectMember,
    ProjectStatus,
    ValidationMethod,
)
from .client_request import ClientRequest
from .evaluation import Evaluation, Outcome, PredictedImage
from .inference_job import InferenceJob
from .states import TRANSITIONS, Transition, transition_to
from .training_task import TrainingMetric, TrainingTask
from .work import DELETING, ServiceWork, WorkStatus

__all__ = [
    "DELETING",
    "TRANSITIONS",
    "AnnotationJob",
    "AnnotationProject",
    "ClientRequest",
    "Evaluation",
    "InferenceJob",
    "JobRole",
    "JobStatus",
    "JobStudy",
    "MemberState",
    "Outcome",
    "PredictedImage",
    "ProjectAnnotationData",
    "ProjectMember",
    "ProjectStatus",
    "ServiceWork",
    "StudyState",
    "TrainingMetric",
    "TrainingTask",
    "Transition",
    "ValidationMethod",
    "WorkStatus",
    "transition_to",
]
