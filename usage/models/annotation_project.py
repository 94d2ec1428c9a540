"""An annotation project: people label the studies of a dataset, and their results are validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotations.models import AnnotationData
from datasets.models import Blob, Dataset, DatasetStatus

from .work import DELETING, ServiceWork, ServiceWorkQuerySet

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class ProjectStatus(models.TextChoices):
    PUBLISHING = "publishing", _("Publishing")
    IN_PROGRESS = "in_progress", _("In progress")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    ERROR = "error", _("Error")
    DELETING = DELETING, _("Deleting")


class ValidationMethod(models.TextChoices):
    DSV = "dsv", _("Validate by DSV")
    REVIEWER = "reviewer", _("Validate by Reviewer")
    DSV_AND_REVIEWER = "dsv_and_reviewer", _("Validate by DSV + Reviewer")


class JobRole(models.TextChoices):
    ANNOTATOR = "annotator", _("Annotator")
    REVIEWER = "reviewer", _("Reviewer")


class MemberState(models.TextChoices):
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    REMOVED = "removed", _("Removed")


class AnnotationProjectQuerySet(ServiceWorkQuerySet):
    def alive(self) -> Self:
        """Leave out what is being deleted, with or without its dataset."""
        return self.exclude(status=DELETING).exclude(dataset__status=DatasetStatus.DELETING)

    def visible_to(self, user: User) -> Self:
        """Select the projects on this person's datasets, and those they are a member of."""
        alive = self.alive()
        if user.is_superuser:
            return alive
        member = ProjectMember.objects.filter(project=OuterRef("pk"), user_id=user.pk).exclude(
            state=MemberState.REMOVED
        )
        return alive.filter(Q(dataset__owner_id=user.pk) | Exists(member))

    def managed_by(self, user: User) -> Self:
        """Select the projects that this person, or a service that acts for them, may lead: not those they work in."""
        alive = self.alive()
        return alive if user.is_superuser else alive.filter(dataset__owner_id=user.pk)


class AnnotationProject(ServiceWork):
    """Who labels a dataset, with which labels, checked how, until when. Counts are of studies.

    Dataset, annotation types and validation method stay as they are once it is published.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="annotation_projects", db_index=False)
    name = models.CharField(_("name"), max_length=200)
    status = models.CharField(max_length=20, choices=ProjectStatus.choices, default=ProjectStatus.PUBLISHING)
    status_detail = models.CharField(max_length=500, blank=True)
    instruction = models.TextField(_("instruction"), max_length=10_000, blank=True)
    annotation_types = models.JSONField(help_text='[{"annotation_type": …, "labels": [name, …]}, …], at least one.')
    included_annotation_data = models.ManyToManyField(
        AnnotationData, through="ProjectAnnotationData", related_name="annotation_projects"
    )
    validation_method = models.CharField(
        max_length=20, choices=ValidationMethod.choices, default=ValidationMethod.REVIEWER
    )
    annotators_per_study = models.PositiveSmallIntegerField(default=1)
    review_percentage = models.PositiveSmallIntegerField(default=100)
    annotation_due = models.DateField(null=True, blank=True)
    review_due = models.DateField(null=True, blank=True)
    finish_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    study_count = models.PositiveIntegerField(default=0)
    annotated_count = models.PositiveIntegerField(default=0, help_text=_("Studies that all their annotators finished."))
    review_count = models.PositiveIntegerField(default=0, help_text=_("Studies that are to be reviewed."))
    reviewed_count = models.PositiveIntegerField(default=0)
    annotation_job_count = models.PositiveIntegerField(default=0)

    results = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="annotation_projects")
    results_filename = models.CharField(max_length=300, blank=True)
    results_format = models.CharField(max_length=20, blank=True)
    results_type = models.CharField(max_length=30, blank=True, help_text=_("Annotation type of the results."))

    objects = AnnotationProjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("annotation project")
        verbose_name_plural = _("annotation projects")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="an_annotation_project_has_a_name"),
            models.CheckConstraint(
                condition=Q(annotators_per_study__gte=1, annotators_per_study__lte=5),
                name="a_study_has_one_to_five_annotators",
            ),
            models.CheckConstraint(
                condition=Q(validation_method="reviewer", annotators_per_study=1)
                | ~Q(validation_method="reviewer") & Q(annotators_per_study__gte=2),
                name="only_dsv_has_several_annotators_a_study",
            ),
            models.CheckConstraint(condition=Q(review_percentage__lte=100), name="at_most_all_studies_are_reviewed"),
            models.CheckConstraint(
                condition=Q(annotated_count__lte=F("study_count")), name="only_the_projects_studies_are_annotated"
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "-created_at", "-id"], name="project_newest_first"),
            models.Index(fields=["status", "lease_until"], name="project_to_be_claimed"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("annotation-project-detail", args=[self.pk])


class ProjectMember(models.Model):
    """A person in a project. Somebody who was removed is never added again."""

    project = models.ForeignKey(AnnotationProject, models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="project_memberships")
    role = models.CharField(max_length=10, choices=JobRole.choices)
    state = models.CharField(max_length=10, choices=MemberState.choices, default=MemberState.ACTIVE)

    class Meta:
        verbose_name_plural = _("project members")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "role"], name="a_person_has_a_role_in_a_project_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} in project {self.project_id}"


class ProjectAnnotationData(models.Model):
    """Annotation data that the annotators of a project begin with."""

    project = models.ForeignKey(AnnotationProject, models.CASCADE, related_name="+", db_index=False)
    annotation_data = models.ForeignKey(AnnotationData, models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = _("annotation data of projects")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "annotation_data"], name="a_project_includes_annotation_data_once"
            ),
        ]

    def __str__(self) -> str:
        return f"annotation data {self.annotation_data_id} in project {self.project_id}"
