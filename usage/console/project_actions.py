"""What owners do with a project: publish, edit, finish, and lead its members."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from datasets.console.access import ConsoleView
from datasets.errors import ValueRefused
from usage.models import JobRole, MemberState, ProjectMember
from usage.services.annotation_jobs import create_annotation_job
from usage.services.annotation_projects import edit_annotation_project, publish_project, set_member_state
from usage.services.work import finish

from .actions import UsageDialog, back
from .forms import dress
from .kinds import PROJECTS
from .people import people_in
from .project_form import ScheduleForm


class ProjectDialog(UsageDialog):
    kind = PROJECTS


class ProjectPublish(ConsoleView):
    """Shares the studies out among the members."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        project = publish_project(project=PROJECTS.get_or_404(request, pk), by=request.user)
        messages.success(request, _("Project “%(name)s” is published.") % {"name": project.name})
        return redirect(project)


class ProjectEdit(ProjectDialog):
    template_name = "usage/dialogs/edit_project.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(pk)
        project = context["row"]
        form = ScheduleForm(initial={name: getattr(project, name) for name in ScheduleForm.base_fields})
        for field in form.fields.values():
            dress(field.widget)
        return context | {"form": form}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        project = PROJECTS.get_or_404(request, pk)
        form = ScheduleForm(request.POST)
        if not form.is_valid():
            name, sentences = next(iter(form.errors.items()))
            raise ValueRefused(name, sentences[0])
        return back(request, PROJECTS, edit_annotation_project(project=project, by=request.user, **form.cleaned_data))


class ProjectFinish(ProjectDialog):
    template_name = "usage/dialogs/finish_project.html"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        project = PROJECTS.get_or_404(request, pk)
        finish(row=project, by=request.user)
        messages.success(request, _("Project “%(name)s” is finished.") % {"name": project.name})
        return redirect(project)


class MemberAdd(ProjectDialog):
    """Gives somebody a job with all studies of the project."""

    template_name = "usage/dialogs/add_member.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pk) | {"roles": JobRole.choices}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        project = PROJECTS.get_or_404(request, pk)
        role = request.POST.get("role", "")
        if role not in JobRole.values:
            raise ValueRefused("role", _("Choose a role."))
        try:
            people = people_in(request.POST.get("person", ""))
        except ValidationError as error:
            raise ValueRefused("person", error.messages[0]) from error
        if len(people) != 1:
            raise ValueRefused("person", _("Name one person."))
        create_annotation_job(project=project, by=request.user, assignee=people[0], role=role)
        messages.success(request, _("%(name)s was given a job.") % {"name": people[0].display_name})
        return redirect(project)


class MemberChange(ConsoleView):
    """Suspends a member, has them go on, or removes them for good."""

    def post(self, request: HttpRequest, pk: int, member_pk: int) -> HttpResponse:
        project = PROJECTS.get_or_404(request, pk)
        member = get_object_or_404(
            ProjectMember.objects.select_related("project__dataset"), project=project, pk=member_pk
        )
        state = request.POST.get("state", "")
        if state not in MemberState.values:
            raise ValueRefused("state", _("Choose what is to be done."))
        set_member_state(member=member, by=request.user, state=state)
        return redirect(project)
