"""``/annotation-jobs/``: the list, a job with its studies, and what its person says of these."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from annotations.console.paging import CountedPaginator
from datasets.console.access import ConsolePage, ConsoleView, size_of_page
from datasets.errors import ValueRefused
from datasets.models import Study
from usage.models import AnnotationJob, JobRole, JobStatus, JobStudy, ProjectStatus, StudyState
from usage.services.annotation_jobs import STUDIES_AT_ONCE, change_annotation_job
from usage.services.rules import is_active
from usage.services.titles import title_of

from .kinds import JOBS, leads
from .listing import UsageList
from .live import live

STUDY_PAGE_SIZES = (20, 50, 100)


class AnnotationJobList(UsageList):
    template_name = "usage/annotation_job_list.html"
    kind = JOBS
    narrowed_by = {
        "dataset": "project__dataset",
        "annotation_data": "project__included_annotation_data",
        "project": "project",
    }
    searched = ("project__name", "assignee__username")
    columns = {"name": "project__name", "due": F("project__annotation_due")}

    def filtered(self, rows: QuerySet[Any]) -> tuple[QuerySet[Any], dict[str, Any]]:
        role = self.request.GET.get("role", "")
        role = role if role in JobRole.values else ""
        return (rows.filter(role=role) if role else rows), {"role": role}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data() | {"roles": JobRole.choices}


class AnnotationJobDetail(ConsolePage):
    template_name = "usage/annotation_job_detail.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        job = JOBS.get_or_404(self.request, pk)
        state = self.request.GET.get("state", "")
        state = state if state in StudyState.values else ""
        studies = JobStudy.objects.filter(job=job).select_related("study__cover__blob").order_by("study_id")
        count = job.study_count
        if state:
            studies = studies.filter(state=state)
            count = studies.count()
        size = size_of_page(self.request, STUDY_PAGE_SIZES, default=20)
        page = CountedPaginator(studies, size, count=count).get_page(self.request.GET.get("page"))
        return live(JOBS, job) | {
            "title": title_of(job),
            "leads": leads(self.request, job),
            "may_work": may_work(self.request, job),
            "may_look": self._may_look(page),
            "page_obj": page,
            "page_sizes": STUDY_PAGE_SIZES,
            "state": state,
            "states": StudyState.choices,
        }

    def _may_look(self, page: Any) -> bool:
        """Tell whether this person may open the studies: all of a job, or none."""
        first = next(iter(page.object_list), None)
        return first is not None and Study.objects.visible_to(self.request.user).filter(pk=first.study_id).exists()


class JobStudies(ConsoleView):
    """Notes how far the chosen studies are."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = JOBS.get_or_404(request, pk)
        state = request.POST.get("state", "")
        if state not in StudyState.values:
            raise ValueRefused("state", _("Choose a state."))
        chosen = [pk for pk in request.POST.getlist("study")[: STUDIES_AT_ONCE + 1] if pk.isdecimal() and len(pk) < 19]
        if not chosen:
            raise ValueRefused("studies", _("Choose studies."))
        change_annotation_job(job=job, by=request.user, states=dict.fromkeys(map(int, chosen), state))
        here = request.htmx.current_url_abs_path if request.htmx else None
        return redirect(here if here and here.split("?")[0] == job.get_absolute_url() else job)


class JobResume(ConsoleView):
    """Goes on with a job that was stopped."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = JOBS.get_or_404(request, pk)
        change_annotation_job(job=job, by=request.user, states={}, status=JobStatus.ONGOING)
        return redirect(job)


def may_work(request: HttpRequest, job: AnnotationJob) -> bool:
    """Tell whether this person may say how far the studies are, now."""
    theirs = leads(request, job) or (job.assignee_id == request.user.pk and is_active(job))
    open_job = job.status in (JobStatus.ONGOING, JobStatus.FINISHED)
    return theirs and open_job and job.project.status == ProjectStatus.IN_PROGRESS
