"""An annotation job: what one member of a project has to annotate or to review."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from datasets.models import DatasetStatus, Study

from .annotation_project import AnnotationProject, JobRole, MemberState, ProjectMember
from .work import DELETING

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class JobStatus(models.TextChoices):
    ONGOING = "ongoing", _("Ongoing")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    DELETING = DELETING, _("Deleting")


class StudyState(models.TextChoices):
    REMAINING = "remaining", _("Remaining")
    SAVED = "saved", _("Saved")
    RETURNED = "returned", _("Returned")
    FINISHED = "finished", _("Finished")
    EXCLUDED = "excluded", _("Excluded")


class AnnotationJobQuerySet(models.QuerySet["AnnotationJob"]):
    def alive(self) -> Self:
        """Leave out what is being deleted, with or without its project or dataset."""
        return (
            self.exclude(status=DELETING)
            .exclude(project__status=DELETING)
            .exclude(project__dataset__status=DatasetStatus.DELETING)
        )

    def visible_to(self, user: User) -> Self:
        """Select the jobs of this person in projects they were not removed from, and those on their datasets."""
        alive = self.alive()
        if user.is_superuser:
            return alive
        member = ProjectMember.objects.filter(project=OuterRef("project"), user=user.pk, role=OuterRef("role"))
        theirs = Q(assignee_id=user.pk) & Exists(member.exclude(state=MemberState.REMOVED))
        return alive.filter(theirs | Q(project__dataset__owner_id=user.pk))


class AnnotationJob(models.Model):
    """One person's share of a project's studies. Counts are stored, written with the states of the studies."""

    project = models.ForeignKey(AnnotationProject, models.CASCADE, related_name="jobs", db_index=False)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="annotation_jobs")
    role = models.CharField(max_length=10, choices=JobRole.choices, default=JobRole.ANNOTATOR)
    status = models.CharField(max_length=20, choices=JobStatus.choices, default=JobStatus.ONGOING)
    status_detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    study_count = models.PositiveIntegerField(default=0)
    finished_count = models.PositiveIntegerField(default=0, help_text=_("Finished or excluded."))
    returned_count = models.PositiveIntegerField(default=0)

    objects = AnnotationJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("annotation job")
        verbose_name_plural = _("annotation jobs")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "assignee", "role"],
                condition=~Q(status="deleting"),
                name="a_member_has_one_job_of_a_role_in_a_project",
            ),
            models.CheckConstraint(
                condition=Q(finished_count__lte=F("study_count")), name="only_the_jobs_studies_are_finished"
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at", "-id"], name="job_newest_first")]

    def __str__(self) -> str:
        return f"{self.role} {self.assignee_id} in project {self.project_id}"

    def get_absolute_url(self) -> str:
        return reverse("annotation-job-detail", args=[self.pk])

    @property
    def remaining_count(self) -> int:
        return self.study_count - self.finished_count


class JobStudy(models.Model):
    """A study in a job, and how far it is."""

    job = models.ForeignKey(AnnotationJob, models.CASCADE, related_name="studies", db_index=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=StudyState.choices, default=StudyState.REMAINING)

    class Meta:
        verbose_name_plural = _("studies of annotation jobs")
        ordering = ["job", "pk"]
        constraints = [models.UniqueConstraint(fields=["job", "study"], name="a_study_is_in_a_job_once")]
        indexes = [models.Index(fields=["job", "state"], name="job_studies_by_state")]

    def __str__(self) -> str:
        return f"study {self.study_id} in job {self.job_id}"
