"""The state machines of the four records, whole: what is not in these tables does not happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models

from .annotation_job import AnnotationJob, JobStatus
from .annotation_project import AnnotationProject, ProjectStatus
from .inference_job import InferenceJob
from .training_task import TrainingTask
from .work import WorkStatus


@dataclass(frozen=True)
class Transition:
    """The way called ``name`` from any of ``sources`` to ``target``."""

    name: str
    sources: tuple[str, ...]
    target: str
    ends: bool = False


def _table(*transitions: Transition) -> Mapping[str, Transition]:
    return {transition.name: transition for transition in transitions}


WORK = _table(
    Transition("start", (WorkStatus.WAITING,), WorkStatus.RUNNING),
    Transition("give_back", (WorkStatus.RUNNING,), WorkStatus.WAITING),
    Transition("finish", (WorkStatus.RUNNING,), WorkStatus.FINISHED, ends=True),
    Transition("fail", (WorkStatus.WAITING, WorkStatus.RUNNING), WorkStatus.ERROR, ends=True),
    Transition("stop", (WorkStatus.WAITING, WorkStatus.RUNNING), WorkStatus.STOPPED, ends=True),
)
PROJECT = _table(
    Transition("publish", (ProjectStatus.PUBLISHING,), ProjectStatus.IN_PROGRESS),
    Transition("finish", (ProjectStatus.IN_PROGRESS,), ProjectStatus.FINISHED, ends=True),
    Transition("fail", (ProjectStatus.PUBLISHING, ProjectStatus.IN_PROGRESS), ProjectStatus.ERROR, ends=True),
    Transition("stop", (ProjectStatus.PUBLISHING, ProjectStatus.IN_PROGRESS), ProjectStatus.STOPPED, ends=True),
)
JOB = _table(
    Transition("finish", (JobStatus.ONGOING,), JobStatus.FINISHED, ends=True),
    Transition("reopen", (JobStatus.FINISHED,), JobStatus.ONGOING),
    Transition("stop", (JobStatus.ONGOING,), JobStatus.STOPPED, ends=True),
    Transition("resume", (JobStatus.STOPPED,), JobStatus.ONGOING),
)

TRANSITIONS: Mapping[type[models.Model], Mapping[str, Transition]] = {
    TrainingTask: WORK,
    InferenceJob: WORK,
    AnnotationProject: PROJECT,
    AnnotationJob: JOB,
}


def transition_to(model: type[models.Model], source: str, target: str) -> Transition | None:
    """Return the transition that leads from one status to another; None when there is none."""
    ways = TRANSITIONS[model].values()
    return next((way for way in ways if source in way.sources and way.target == target), None)
