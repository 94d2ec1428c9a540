"""The rows of lists and pages with all that is shown of them: one query a list, however long, one a kind of child."""

from __future__ import annotations

from django.db.models import Case, Count, IntegerField, Model, OuterRef, Prefetch, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from deepcap.accounts.models import User
from usage.models import AnnotationJob, AnnotationProject, InferenceJob, ProjectMember, TrainingTask, WorkStatus


def annotation_projects(*, user: User) -> QuerySet[AnnotationProject]:
    """Return the projects this person may see, newest first."""
    members = ProjectMember.objects.select_related("user")
    return (
        AnnotationProject.objects.visible_to(user)
        .select_related("dataset", "created_by", "results")
        .prefetch_related(Prefetch("members", members), "included_annotation_data")
        .order_by("-created_at", "-pk")
    )


def annotation_jobs(*, user: User) -> QuerySet[AnnotationJob]:
    """Return this person's jobs and those on their datasets, newest first."""
    jobs = AnnotationJob.objects.visible_to(user).select_related("project__dataset", "assignee")
    return jobs.order_by("-created_at", "-pk")


def training_tasks(*, user: User) -> QuerySet[TrainingTask]:
    """Return the tasks this person may see, newest first, each with its ``place_in_line`` from 1 while it waits."""
    tasks = TrainingTask.objects.visible_to(user).select_related(
        "annotation_data__dataset", "split", "created_by", "model"
    )
    return _in_line(tasks, TrainingTask).order_by("-created_at", "-pk")


def inference_jobs(*, user: User) -> QuerySet[InferenceJob]:
    """Return the jobs this person may see, newest first, each with its ``place_in_line`` from 1 while it waits."""
    jobs = InferenceJob.objects.visible_to(user).select_related(
        "training_task__annotation_data__dataset", "dataset", "ground_truth", "created_by", "predictions"
    )
    return _in_line(jobs, InferenceJob).order_by("-created_at", "-pk")


def _in_line(rows: QuerySet, table: type[Model]) -> QuerySet:
    """Add how many wait in front, of everybody's, and one."""
    ahead = table._default_manager.filter(status=WorkStatus.WAITING, pk__lt=OuterRef("pk")).order_by()
    number = Subquery(ahead.values("status").annotate(n=Count("pk")).values("n"), output_field=IntegerField())
    place = Case(When(status=WorkStatus.WAITING, then=Coalesce(number, 0) + 1), output_field=IntegerField())
    return rows.annotate(place_in_line=place)
