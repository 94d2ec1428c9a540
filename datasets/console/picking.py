"""Studies that somebody picks by hand, over pages of a grid and reloads: kept in their session, a dataset each."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from datasets.errors import ValueRefused
from datasets.models import Dataset, Study

from .access import ConsoleView, dataset_or_404

IN_SESSION = "picked"
MOST_DATASETS = 5
MOST_PICKED = 5_000


class DatasetPick(ConsoleView):
    """Takes over which of the studies ``shown`` are ticked, all of them, or forgets all there are."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        dataset = dataset_or_404(request, pk)
        form = request.POST
        shown = _ids(form.getlist("shown"))
        wanted = shown if "all" in form else _ids(form.getlist("study"))
        before = [] if "none" in form else [study for study in picked(request, dataset) if study not in set(shown)]
        if "none" not in form:
            there = set(Study.objects.filter(dataset=dataset, pk__in=wanted).values_list("pk", flat=True))
            before += [study for study in wanted if study in there]
        pick(request, dataset, before)
        if "all" in form or "none" in form or not request.htmx:
            return redirect(_page(form.get("page", ""), dataset))
        return render(request, "datasets/includes/pick_bar.html", {"dataset": dataset, "picked": before})


def picking_of(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    """Return what a grid needs in which studies are picked: with ``?select``, and as long as some are."""
    chosen = picked(request, dataset)
    return {"is_picking": "select" in request.GET or bool(chosen), "picked": chosen}


def picked(request: HttpRequest, dataset: Dataset) -> list[int]:
    """Return the studies that are picked of a dataset, in the order in which they were."""
    return list(request.session.get(IN_SESSION, {}).get(str(dataset.pk), []))


def pick(request: HttpRequest, dataset: Dataset, studies: list[int]) -> None:
    """Keep these, and forget the datasets in which nothing was picked for longest. Raises ValueRefused."""
    if len(studies) > MOST_PICKED:
        message = _("At most %(most)d studies can be picked by hand; filter annotation data for more.")
        raise ValueRefused("study", message % {"most": MOST_PICKED})
    kept = {key: ids for key, ids in request.session.get(IN_SESSION, {}).items() if key != str(dataset.pk)}
    if studies:
        kept[str(dataset.pk)] = studies
    request.session[IN_SESSION] = dict(list(kept.items())[-MOST_DATASETS:])


def _ids(texts: list[str]) -> list[int]:
    return list(dict.fromkeys(int(text) for text in texts if text.isdecimal() and len(text) < 19))


def _page(asked: str, dataset: Dataset) -> str:
    """Return the page of ours that was asked for, or that of the dataset."""
    ours = asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if ours else dataset.get_absolute_url()
