"""The page that divides annotation data: what would come of the choices is seen before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.console.access import annotation_data_or_404
from annotations.errors import SplitRefused
from annotations.services.annotation_data import NAME_LENGTH
from annotations.services.split_plans import LARGEST_SEED, USUAL, Plan, Wish
from annotations.services.splits import create_split, preview_split
from datasets.console.access import ConsolePage
from datasets.models import Study

from .numbers import numbers_of

TITLES = {
    "train": gettext_lazy("Training"),
    "validation": gettext_lazy("Validation"),
    "test": gettext_lazy("Test"),
}


@dataclass(frozen=True)
class Choices:
    """What the form says, as it was typed, to be shown again."""

    shares: Mapping[str, str]
    seed: str
    by_patient: bool
    stratify: bool

    @classmethod
    def of(cls, query: Any) -> Choices:
        """Return what was chosen; the usual where nothing was sent yet."""
        if "seed" not in query:
            return cls({name: f"{share:g}" for name, share in USUAL.items()}, "0", True, True)
        shares = {name: query.get(name, "").strip() for name in USUAL}
        return cls(shares, query.get("seed", "").strip(), "by_patient" in query, "stratify" in query)

    def wish(self) -> Wish:
        """Return the choices as they are meant; parts of 0 are left out. Raises SplitRefused."""
        try:
            shares = {name: float(text or 0) for name, text in self.shares.items()}
        except ValueError:
            raise SplitRefused(_("Shares are numbers."), code="shares_invalid") from None
        if not (self.seed.isdecimal() and len(self.seed) <= len(str(LARGEST_SEED))):
            raise SplitRefused(_("The seed is a whole number from 0."), code="seed_invalid")
        kept = {name: share for name, share in shares.items() if share}
        return Wish(kept, int(self.seed), by_patient=self.by_patient, stratify=self.stratify)


class SplitCreate(ConsolePage):
    """Shows what the choices in the address come to; posted, they are saved under a name."""

    template_name = "annotations/splits/create.html"

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        annotation_data = annotation_data_or_404(self.request, pk)
        choices = Choices.of(self.request.GET)
        names = {"subject": annotation_data, "name_length": NAME_LENGTH, "proposed_name": _proposed(choices)}
        return names | shown(choices, lambda wish: preview_split(annotation_data=annotation_data, wish=wish))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        annotation_data = annotation_data_or_404(request, pk)
        split = create_split(
            annotation_data=annotation_data,
            by=request.user,
            name=request.POST.get("name", ""),
            wish=Choices.of(request.POST).wish(),
        )
        messages.success(request, _("The split “%(name)s” was saved.") % {"name": split.name})
        return redirect(annotation_data)


def shown(choices: Choices, plan_of: Callable[[Wish], Plan]) -> dict[str, Any]:
    """Return what pages show of choices and of what they come to, or of why nothing comes of them."""
    context: dict[str, Any] = {
        "choices": choices,
        "shares": [(name, TITLES[name], text) for name, text in choices.shares.items()],
        "largest_seed": LARGEST_SEED,
    }
    try:
        plan = plan_of(choices.wish())
    except SplitRefused as refused:
        return context | {"error": refused}
    return context | {"numbers": numbers_of(plan.report()), "examples": examples_of(plan)}


def examples_of(plan: Plan) -> list[list[tuple[Study, str]]]:
    """Return groups of studies that share something over the borders of parts, each with its part: one query."""
    part_of = {study: part.name for part in plan.parts for study in part.studies} if plan.examples else {}
    studies = Study.objects.in_bulk({pk for group in plan.examples for pk in group[:10]}) if plan.examples else {}
    return [[(studies[pk], part_of[pk]) for pk in group[:10] if pk in studies] for group in plan.examples]


def _proposed(choices: Choices) -> str:
    return f"{'/'.join(text for text in choices.shares.values() if text not in ('', '0'))}, seed {choices.seed}"
