"""Where every page of the console begins: a person who is signed in, and what they may see."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.views.generic import TemplateView, View

from datasets.models import Dataset
from datasets.services.progress import with_progress


class ConsoleView(LoginRequiredMixin, View):
    """A view for people who are signed in; others are sent to sign in."""


class ConsolePage(LoginRequiredMixin, TemplateView):
    """A page, or a fragment, for people who are signed in."""


def datasets_of(request: HttpRequest) -> QuerySet[Dataset]:
    """Select the datasets this person may see, with what a row or a page tells of each."""
    datasets = Dataset.objects.visible_to(request.user).with_is_new(request.user).select_related("owner")
    return with_progress(datasets)


def dataset_or_404(request: HttpRequest, pk: int, **conditions: Any) -> Dataset:
    """Return a dataset this person may see. Raises Http404, also for a stranger's."""
    return get_object_or_404(datasets_of(request), pk=pk, **conditions)
