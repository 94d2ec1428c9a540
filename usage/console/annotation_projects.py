"""``/annotation-projects/``: the list, a project, and the form that makes one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import AnnotationType, SourceKind
from datasets.console.access import ConsolePage
from usage.models import AnnotationProject, JobRole, ValidationMethod
from usage.services.annotation_projects import create_annotation_project, publish_project
from usage.services.lists import annotation_jobs

from .forms import FormPage
from .kinds import PROJECTS, leads
from .listing import UsageList
from .live import live
from .made import made_from
from .project_form import ProjectForm
from .thumbs import with_covers

MOST_JOBS = 200


class AnnotationProjectList(UsageList):
    template_name = "usage/annotation_project_list.html"
    kind = PROJECTS
    narrowed_by = {"dataset": "dataset", "annotation_data": "included_annotation_data"}
    searched = ("name", "dataset__name")
    columns = {"published_at": "published_at"}

    def shown(self, rows: list[Any]) -> list[Any]:
        return with_covers(rows, user=self.request.user)


class AnnotationProjectDetail(ConsolePage):
    template_name = "usage/annotation_project_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        project = PROJECTS.get_or_404(self.request, pk)
        jobs = annotation_jobs(user=self.request.user).filter(project=project).order_by("role", "pk")
        by_member = {(job.assignee_id, job.role): job for job in jobs[:MOST_JOBS]}
        members = project.members.all()[:MOST_JOBS]
        return live(PROJECTS, project) | {
            "leads": leads(self.request, project),
            "members": [(member, by_member.get((member.user_id, member.role))) for member in members],
            "types": types_of(project),
            "schedule": schedule_of(project),
            "is_reviewed": project.validation_method != ValidationMethod.DSV,
            "is_repeated": project.validation_method != ValidationMethod.REVIEWER,
            "my_jobs": [job for job in by_member.values() if job.assignee_id == self.request.user.pk],
            "made": made_from(project, SourceKind.ANNOTATION_PROJECT, user=self.request.user),
            "roles": JobRole.choices,
        }


class AnnotationProjectCreate(FormPage):
    """START: with ``?dataset=`` it is chosen already; ``?annotation_data=`` are included, and their labels."""

    template_name = "usage/annotation_project_form.html"
    form_class = ProjectForm

    def done(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        project = create_annotation_project(by=request.user, **values)
        if "publish" in request.POST:
            publish_project(project=project, by=request.user)
            messages.success(request, _("Project “%(name)s” is published.") % {"name": project.name})
        return redirect(project)


def types_of(project: AnnotationProject) -> list[tuple[str, list[str]]]:
    """Return (name of the annotation type, its labels) of a project."""
    titles = dict(AnnotationType.choices)
    return [(titles[entry["annotation_type"]], entry["labels"]) for entry in project.annotation_types]


def schedule_of(project: AnnotationProject) -> list[tuple[str, Any, int]]:
    """Return (what is due, the day, days from today) of a project's schedule; negative days have passed."""
    today = timezone.localdate()
    days = [
        (_("Annotation due"), project.annotation_due),
        (_("Review due"), project.review_due),
        (_("Finish date"), project.finish_on),
    ]
    return [(title, day, (day - today).days) for title, day in days if day]
