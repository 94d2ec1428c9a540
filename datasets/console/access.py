"""Where every page of the console begins: a person who is signed in, what they may see, and where they go next."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.generic import TemplateView, View

from datasets.models import Dataset
from datasets.services.progress import with_progress


class ConsoleView(LoginRequiredMixin, View):
    """Something people do; who is not signed in is sent to sign in."""


class ConsolePage(LoginRequiredMixin, TemplateView):
    """A page, or a part of one; who is not signed in is sent to sign in."""


def datasets_of(request: HttpRequest) -> QuerySet[Dataset]:
    """Select the datasets this person may see, with what a row or a page tells of each."""
    datasets = Dataset.objects.visible_to(request.user).with_is_new(request.user).select_related("owner")
    return with_progress(datasets)


def dataset_or_404(request: HttpRequest, pk: int) -> Dataset:
    """Return a dataset this person may see. Raises Http404, also for a stranger's."""
    return get_object_or_404(datasets_of(request), pk=pk)


def back(request: HttpRequest, *, otherwise: Any) -> HttpResponse:
    """Redirect to the list as the person had it, filters and page included, or else to ``otherwise``."""
    here = request.htmx.current_url_abs_path if request.htmx else None
    return redirect(here if here and urlsplit(here).path == reverse("dataset-list") else otherwise)


def size_of_page(request: HttpRequest, sizes: tuple[int, ...], *, default: int) -> int:
    """Return the page size that was asked for, if it is one of ``sizes``."""
    asked = request.GET.get("page_size", "")
    return int(asked) if asked in map(str, sizes) else default
