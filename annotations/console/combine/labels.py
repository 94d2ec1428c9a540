"""Step 2, second part: which labels of the sources mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from annotations.combine.matching import MOST_COMPARED, safe_names
from annotations.services.combinations import match_labels_of
from annotations.services.recipes import LABEL_LENGTH
from datasets.models import Dataset

from .draft import Draft, save
from .steps import CombineStep

MOST_SHOWN = 400
"""Spellings in the table at a time, with a few fields each: those to be looked at come first, others are searched."""
WAYS = {
    "none": gettext_lazy("Only here"),
    "exact": gettext_lazy("Same name"),
    "case": gettext_lazy("Differs in case"),
    "punctuation": gettext_lazy("Differs in spaces or punctuation"),
    "plural": gettext_lazy("Singular and plural"),
    "similar": gettext_lazy("Similar spelling: check"),
}


@dataclass(frozen=True)
class Spelling:
    """A label as some of the sources write it: ``homes`` are (dataset, images). ``becomes`` None: it is left out.

    ``number`` is that of its fields; ``suggestion`` the name of another label that it may be a slip of, until it is
    taken.
    """

    number: int
    name: str
    homes: Sequence[tuple[str, int]]
    becomes: str | None
    suggestion: str = ""


@dataclass(frozen=True)
class Group:
    """Labels that may mean the same, and how that was found."""

    way: str
    title: str
    spellings: Sequence[Spelling]

    def is_called(self, text: str) -> bool:
        """Tell whether a label of the group has ``text`` in its name, here or in the new dataset."""
        wanted = text.casefold()
        names = [name for each in self.spellings for name in (each.name, each.becomes or "")]
        return any(wanted in name.casefold() for name in names)


class CombineLabels(CombineStep):
    template_name = "annotations/combine/labels.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.draft.include:
            return redirect(self.draft.url("combine-annotation-data"))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = self.draft
        matches = kwargs.pop("matches", None) or matches_of(self.request, draft)
        groups = _groups(matches, draft, _names(draft))
        becoming = [spelling.becomes for group in groups for spelling in group.spellings]
        search = self.request.GET.get("search", "").strip()
        found = [group for group in groups if group.is_called(search)]
        shown = list(_first(found, MOST_SHOWN))
        return {
            "draft": draft,
            "step": 2,
            "groups": shown,
            "search": search,
            "is_long": len(becoming) > MOST_SHOWN,
            "compares_spelling": len(becoming) <= MOST_COMPARED,
            "not_shown": sum(len(group.spellings) for group in found[len(shown) :]),
            "results": sorted({name for name in becoming if name is not None}, key=str.casefold),
            "spelling_count": len(becoming),
            "left_out": becoming.count(None),
            "name_length": LABEL_LENGTH,
            **kwargs,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft
        matches = matches_of(request, draft)
        self._take(draft, matches)
        save(request, draft)
        if "next" in request.POST:
            return redirect(draft.url("combine-review"))
        return self.render_to_response(self.get_context_data(matches=matches))

    def _take(self, draft: Draft, matches: Sequence[Mapping[str, Any]]) -> None:
        """Take over the names of the form. Its fields are numbered as the spellings come, which do not change."""
        form = self.request.POST
        if "as_proposed" in form:
            draft.names = {}
            decide(draft, matches)
            return
        if "as_they_are" in form:
            draft.names = {name: name for name in spellings_of(matches)}
            return
        for number, name in enumerate(spellings_of(matches)):
            if form.get(f"of_{number}") != name:
                continue  # not on this page, or the sources have changed since the form was drawn
            new = form.get(f"as_{number}", "").replace("\x00", "").strip()[:LABEL_LENGTH]
            draft.names[name] = (new or name) if f"keep_{number}" in form else None
            if form.get("accept") == str(number):
                draft.names[name] = form.get(f"suggested_{number}", "").strip()[:LABEL_LENGTH] or name


def matches_of(request: HttpRequest, draft: Draft) -> list[dict[str, Any]]:
    """Return the matches of the draft's labels; names nobody has decided about become what is sure to be the same."""
    matches = match_labels_of(wanted=draft.wanted(), by=request.user)
    if decide(draft, matches):
        save(request, draft)
    return matches


def decide(draft: Draft, matches: Sequence[Mapping[str, Any]]) -> bool:
    """Give names to the labels that have none in the draft yet; return whether there were any."""
    before = len(draft.names)
    for match in matches:
        for name, becomes in safe_names(_spellings(match)).items():
            draft.names.setdefault(name, becomes)
    return len(draft.names) > before


def spellings_of(matches: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for match in matches for name in _spellings(match)]


def _spellings(match: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(label["label"] for label in match["labels"]))


def _names(draft: Draft) -> dict[int, str]:
    return dict(Dataset.objects.filter(pk__in=draft.sources).values_list("pk", "name"))


def _groups(matches: Sequence[Mapping[str, Any]], draft: Draft, datasets: Mapping[int, str]) -> list[Group]:
    """Return the groups, those to be looked at first: found by spelling, then by other ways, then the rest."""
    groups = []
    numbers = {name: number for number, name in enumerate(spellings_of(matches))}
    for match in matches:
        names = _spellings(match)
        target = draft.names.get(names[0]) or names[0]
        spellings = [
            Spelling(
                number=numbers[name],
                name=name,
                homes=sorted(
                    (
                        (datasets.get(label["dataset"], ""), label["images"])
                        for label in match["labels"]
                        if label["label"] == name
                    ),
                    key=lambda home: -home[1],
                ),
                becomes=draft.names.get(name, name),
                suggestion=target if draft.names.get(name, name) not in (target, None) else "",
            )
            for name in names
        ]
        groups.append(Group(match["match"], str(WAYS[match["match"]]), spellings))
    order = ["similar", "plural", "punctuation", "case", "exact", "none"]
    return sorted(groups, key=lambda group: order.index(group.way))


def _first(groups: Iterable[Group], most: int) -> Iterator[Group]:
    """Yield the first groups, with about ``most`` spellings in all; at least one group."""
    count = 0
    for group in groups:
        if count and count + len(group.spellings) > most:
            return
        count += len(group.spellings)
        yield group
