"""What of other rooms' belongs to people because of this room's records: files they pay for, studies they work on."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from deepcap.accounts.models import User

from .models import (
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    JobStatus,
    JobStudy,
    MemberState,
    ProjectMember,
    ProjectStatus,
    TrainingTask,
)

WORKED_ON = (JobStatus.ONGOING, JobStatus.FINISHED)


def files_of(user: User) -> Sequence[QuerySet]:
    """Return queries for the blobs that services have handed in for work on the datasets of ``user``."""
    tasks = TrainingTask.objects.alive().filter(annotation_data__dataset__owner=user)
    inferences = InferenceJob.objects.alive().filter(dataset__owner=user)
    projects = AnnotationProject.objects.alive().filter(dataset__owner=user)
    return [tasks.values("model"), inferences.values("predictions"), projects.values("results")]


def studies_given_to(user: User) -> QuerySet[JobStudy]:
    """Select the studies in jobs of ``user``, as long as the project is in progress and they are active in it."""
    active = ProjectMember.objects.filter(
        project=OuterRef("project"), user=user.pk, role=OuterRef("role"), state=MemberState.ACTIVE
    )
    jobs = AnnotationJob.objects.alive().filter(
        Exists(active), assignee_id=user.pk, status__in=WORKED_ON, project__status=ProjectStatus.IN_PROGRESS
    )
    return JobStudy.objects.filter(job__in=jobs)
