"""Jobs: each member's share of a project's studies, and how far the studies are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from datasets.errors import ValueRefused
from datasets.models import Study
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.claims import move
from usage.counting import count
from usage.errors import WorkEnded
from usage.models import (
    AnnotationJob,
    AnnotationProject,
    JobRole,
    JobStatus,
    JobStudy,
    MemberState,
    ProjectMember,
    ProjectStatus,
    StudyState,
    ValidationMethod,
)
from usage.progress import count_job, count_project, finished_among, give, share_out
from usage.under import counted_by

from .rules import require_owner, require_worker
from .work import advance

UNDER_WAY = (ProjectStatus.PUBLISHING, ProjectStatus.IN_PROGRESS)
STUDIES_AT_ONCE = 1_000


@transaction.atomic
def create_annotation_job(
    *, project: AnnotationProject, by: User, assignee: User, role: str, studies: Collection[int] | None = None
) -> AnnotationJob:
    """Return a job of ``assignee``, who becomes a member, with these studies of the dataset, or with all of them.

    Raises NotTheOwner, WorkEnded when the project has ended, and ValueRefused for somebody who has such a job already
    or was removed from the project, and for studies of another dataset.
    """
    require_owner(project, by)
    open_project = AnnotationProject.objects.select_for_update(no_key=True).filter(pk=project.pk, status__in=UNDER_WAY)
    if not open_project.exists():
        raise WorkEnded(_("The project has ended: nobody is given work in it any more."))
    member, _made = ProjectMember.objects.get_or_create(project=project, user=assignee, role=role)
    if member.state == MemberState.REMOVED:
        raise ValueRefused("assignee", _("Who was removed from a project cannot come back."), code="member_removed")
    if AnnotationJob.objects.alive().filter(project=project, assignee=assignee, role=role).exists():
        raise ValueRefused("assignee", _("This person has such a job in the project already."), code="job_exists")
    if studies is not None:
        wanted = set(studies)
        if Study.objects.filter(dataset=project.dataset_id, pk__in=wanted).count() != len(wanted):
            raise ValueRefused("studies", _("Not all of these studies are in the dataset."), code="studies_unknown")
    job = AnnotationJob.objects.create(project=project, assignee=assignee, role=role)
    if studies is None:
        share_out(job, place=0, places=1)
    else:
        give(job, wanted)
    count_job(job)
    count_project(project)
    count(counted_by(job))
    record(actor=by, action="annotationjob.created", target=job, project=project.pk, assignee=assignee.username)
    job.refresh_from_db()
    return job


def make_jobs(project: AnnotationProject) -> None:
    """Give every active member who has no job in their role one, with an even share of the studies.

    Each job appears with its studies in one transaction; done again, nothing is added.
    """
    members = project.members.filter(state=MemberState.ACTIVE).order_by("pk")
    reviewed = project.validation_method != ValidationMethod.DSV
    for role in JobRole.values if reviewed else [JobRole.ANNOTATOR]:
        people = list(members.filter(role=role).values_list("user", flat=True))
        reviews = role == JobRole.REVIEWER
        for place, user_id in enumerate(people):
            with transaction.atomic():
                job, made = AnnotationJob.objects.exclude(status=JobStatus.DELETING).get_or_create(
                    project=project, assignee_id=user_id, role=role
                )
                if made:
                    share_out(
                        job,
                        place=place,
                        places=len(people),
                        copies=1 if reviews else min(project.annotators_per_study, len(people)),
                        percentage=project.review_percentage if reviews else 100,
                    )
                    count_job(job)


@transaction.atomic
def set_study_states(*, job: AnnotationJob, by: User, states: Mapping[int, str]) -> AnnotationJob:
    """Note how far studies are, by id. A job all of whose studies are finished is; one that gets a study back is not.

    Raises NotTheOwner, WorkEnded unless the project is in progress and the job not stopped, and ValueRefused for
    studies that are not in the job and for more than STUDIES_AT_ONCE of them.
    """
    require_worker(job, by)
    if len(states) > STUDIES_AT_ONCE:
        message = _("At most %(most)d studies at once.") % {"most": STUDIES_AT_ONCE}
        raise ValueRefused("studies", message, code="too_many")
    project = AnnotationProject.objects.select_for_update(no_key=True).get(pk=job.project_id)
    job = AnnotationJob.objects.select_for_update(no_key=True, of=("self",)).select_related("project").get(pk=job.pk)
    if project.status != ProjectStatus.IN_PROGRESS or job.status not in (JobStatus.ONGOING, JobStatus.FINISHED):
        raise WorkEnded(_("The project is not in progress, or this job was stopped."))
    rows = JobStudy.objects.filter(job=job, study__in=states)
    if rows.count() != len(states):
        raise ValueRefused("studies", _("Not all of these studies are in the job."), code="studies_unknown")
    studies = list(states)
    before = finished_among(project, job.role, studies)
    for state in StudyState.values:
        if pks := [pk for pk, wanted in states.items() if wanted == state]:
            rows.filter(study__in=pks).update(state=state)
    field = "annotated_count" if job.role == JobRole.ANNOTATOR else "reviewed_count"
    change = finished_among(project, job.role, studies) - before
    AnnotationProject.objects.filter(pk=project.pk).update(**{field: F(field) + change})
    count_job(job)
    job.refresh_from_db()
    done = bool(job.study_count) and job.finished_count == job.study_count
    if done and job.status == JobStatus.ONGOING:
        move(job, "finish")
    elif not done and job.status == JobStatus.FINISHED:
        move(job, "reopen", finished_at=None)
    return job


def change_annotation_job(
    *,
    job: AnnotationJob,
    by: User,
    states: Mapping[int, str],
    status: str | None = None,
    status_detail: str | None = None,
) -> AnnotationJob:
    """Note how far studies are, then take the job to another status. Raises what the two raise.

    A job whose project has ended stays as it is.
    """
    if states:
        job = set_study_states(job=job, by=by, states=states)
    if status is not None:
        project = AnnotationProject.objects.get(pk=job.project_id)
        if status != job.status and project.status not in UNDER_WAY:
            raise WorkEnded(_("The project has ended: nobody works on in it."))
        extra = {"finished_at": None} if status == JobStatus.ONGOING else {}
        advance(row=job, by=by, status=status, detail=status_detail, **extra)
    return job
