"""Annotation projects, their members and jobs: to look at, and to be stopped."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from deepcap.common.admin import CappedInline, LookOnlyAdmin, link, list_of
from usage.models import AnnotationJob, AnnotationProject, ProjectMember

from .operations import STATUS_COLOURS, STOP, TAKE_AWAY


class MemberInline(CappedInline):
    model = ProjectMember
    fields = ("user", "role", "state")
    ordering = ("pk",)


@admin.register(AnnotationProject)
class AnnotationProjectAdmin(LookOnlyAdmin):
    list_display = (
        "name",
        "dataset",
        "shown_status",
        "study_count",
        "annotated_count",
        "reviewed_count",
        "claimed_as",
        "created_at",
    )
    list_filter = ("status", "validation_method")
    related = ("dataset", "created_by", "results", "claimed_by")
    search_fields = ("name", "=dataset__name")
    fields = (
        "dataset",
        "name",
        "shown_status",
        "status_detail",
        "annotation_types",
        "validation_method",
        "annotators_per_study",
        "review_percentage",
        "study_count",
        "annotated_count",
        "review_count",
        "reviewed_count",
        "jobs",
        "results",
        "created_by",
        "created_at",
        "published_at",
        "finished_at",
        "claimed_as",
        "heartbeat_at",
        "lease_until",
        "attempts",
    )
    readonly_fields = ("shown_status", "jobs", "created_at", "heartbeat_at", "lease_until")
    inlines = (MemberInline,)
    operations = (STOP, TAKE_AWAY)

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, project: AnnotationProject) -> str:
        return project.get_status_display()

    @display(description=gettext_lazy("jobs"))
    def jobs(self, project: AnnotationProject) -> str:
        return link(list_of(AnnotationJob, project__id__exact=project.pk), gettext_lazy("Jobs"))


@admin.register(AnnotationJob)
class AnnotationJobAdmin(LookOnlyAdmin):
    list_display = (
        "project",
        "assignee",
        "role",
        "shown_status",
        "study_count",
        "finished_count",
        "returned_count",
        "created_at",
    )
    list_filter = ("status", "role")
    related = ("project", "project__dataset", "assignee")
    search_fields = ("project__name", "=assignee__username")
    fields = (
        "project",
        "assignee",
        "role",
        "shown_status",
        "status_detail",
        "study_count",
        "finished_count",
        "returned_count",
        "created_at",
        "finished_at",
    )
    readonly_fields = ("shown_status", "created_at")
    operations = (STOP,)

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, job: AnnotationJob) -> str:
        return job.get_status_display()
