"""What steps after the first begin with: a draft whose earlier steps are done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from datasets.console.access import ConsolePage

from .draft import Draft, draft_of, save
from .sources import combinable, refusal_of


class CombineStep(ConsolePage):
    """A step that finds ``draft`` as far as it needs it; otherwise the person is led to the step that is missing.

    Datasets that are gone since they were chosen are chosen no more.
    """

    draft: Draft
    needs_annotation_data = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            self.draft = draft = draft_of(request)
            alive = set(combinable(request).filter(pk__in=draft.sources).values_list("pk", flat=True))
            if len(alive) < len(draft.sources):
                draft.sources = [pk for pk in draft.sources if pk in alive]
                save(request, draft)
            if refusal_of(draft):
                return redirect(draft.url())
            if self.needs_annotation_data and incomplete(draft):
                return redirect(draft.url("combine-annotation-data"))
        return super().dispatch(request, *args, **kwargs)


def incomplete(draft: Draft) -> str:
    """Return what is still to be said about annotation data, or nothing."""
    if not draft.include:
        return ""
    if not draft.annotation_type:
        return _("Please select a dataset type")
    if not any(draft.data_of(pk) for pk in draft.sources):
        return _("Select annotation data of at least one dataset, or combine the images alone.")
    return ""
