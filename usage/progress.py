"""How far a project is: studies shared out among jobs, and counts of what is finished, all in set-based statements.

A study is annotated when every annotator who has it has finished it, and reviewed when a reviewer has.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Mod

from datasets.models import Study
from deepcap.common.chunks import in_chunks

from .models import DELETING, AnnotationJob, AnnotationProject, JobRole, JobStudy, StudyState

AT_A_TIME = 10_000
DONE = (StudyState.FINISHED, StudyState.EXCLUDED)
# 37 and 100 have no common divisor: any 100 studies in a row hold each remainder once, scattered.
SCATTER = 37


def share_out(job: AnnotationJob, *, place: int, places: int, copies: int = 1, percentage: int = 100) -> None:
    """Give the job its share of the project's studies; again, it changes nothing.

    Number n of the studies that are shared out goes to the ``copies`` places n, n + 1, … (modulo ``places``), this job
    being at ``place``: shares differ by ``copies`` at most. These are ``percentage`` of the dataset's, scattered over
    all: of a hundred in a row those whose scattered number is less, which therefore number them too.
    """
    studies = Study.objects.filter(dataset=job.project.dataset_id)
    scattered = Mod(F("position") * SCATTER, 100)
    hundreds = (F("position") - Mod(F("position"), 100)) / 100
    number = F("position") if percentage == 100 else hundreds * percentage + scattered
    mine = studies.alias(scattered=scattered).filter(scattered__lt=percentage)
    mine = mine.alias(turn=Mod(number + places - place + copies - 1, places)).filter(turn__lt=copies)
    _give(job, mine)


def give(job: AnnotationJob, study_ids: Collection[int]) -> None:
    """Give the job these studies of the project's dataset; those it has already, it keeps as they are."""
    for pks in in_chunks(sorted(study_ids), 500):
        _give(job, Study.objects.filter(dataset=job.project.dataset_id, pk__in=pks))


def _give(job: AnnotationJob, studies: QuerySet[Study]) -> None:
    rows = studies.order_by().values_list(Value(job.pk), "pk", Value(StudyState.REMAINING.value))
    select, parameters = rows.query.sql_with_params()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(name) for name in ("job_id", "study_id", "state"))
    table = quote(JobStudy._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) {select} ON CONFLICT DO NOTHING", parameters)


def count_job(job: AnnotationJob) -> None:
    """Write the job's counts as they are now."""
    numbers = JobStudy.objects.filter(job=job).aggregate(
        study_count=Count("pk"),
        finished_count=Count("pk", filter=Q(state__in=DONE)),
        returned_count=Count("pk", filter=Q(state=StudyState.RETURNED)),
    )
    AnnotationJob.objects.filter(pk=job.pk).update(**numbers)


def count_project(project: AnnotationProject) -> None:
    """Write the project's counts of studies as they are now: one pass over all of its jobs' studies."""
    to_review = _studies_of(project, JobRole.REVIEWER)
    AnnotationProject.objects.filter(pk=project.pk).update(
        study_count=Study.objects.filter(dataset=project.dataset_id).count(),
        annotated_count=finished_among(project, JobRole.ANNOTATOR),
        review_count=to_review.values("study").distinct().count(),
        reviewed_count=finished_among(project, JobRole.REVIEWER),
    )


def finished_among(project: AnnotationProject, role: str, studies: Sequence[int] | None = None) -> int:
    """Count the studies that all who have them in this role have finished, of all or of ``studies``."""
    rows = _studies_of(project, role)
    if studies is not None:
        rows = rows.filter(study__in=studies)
    done = Count("pk", filter=Q(state__in=DONE))
    return rows.order_by().values("study").annotate(having=Count("pk"), done=done).filter(having=F("done")).count()


def _studies_of(project: AnnotationProject, role: str) -> QuerySet[JobStudy]:
    return JobStudy.objects.filter(job__project=project, job__role=role).exclude(job__status=DELETING)
