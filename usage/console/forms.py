"""What the forms share: fields in the console's clothes, choices of what a person may use, refusals as errors."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.console.access import ConsolePage
from datasets.models import Dataset, DatasetStatus
from deepcap.accounts.models import User
from deepcap.common.errors import DomainError
from usage.services.rules import NAME_LENGTH

MOST_CHOICES = 500


class UsageForm(forms.Form):
    """A form of one person; ``query`` is what the page was opened with, and preselects."""

    name = forms.CharField(max_length=NAME_LENGTH, strip=True)

    def __init__(self, *args: Any, user: User, query: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.query = query
        self.prepare()
        for field in self.fields.values():
            dress(field.widget)

    def prepare(self) -> None:
        """Fill the choices with what the person may use, and the first values from the query."""

    def chosen(self, name: str) -> str:
        """Return what is chosen in a field so far: sent, or else asked for by the query. "" for nothing."""
        value = self.data.get(name) if self.is_bound else self.query.get(name)
        return value if value and value.isdecimal() and len(value) < 19 else ""


class FormPage(ConsolePage):
    """A page with a form; refused, it is shown again with what was filled in and the reasons."""

    form_class: ClassVar[type[UsageForm]]

    def get_context_data(self, form: UsageForm | None = None, **kwargs: Any) -> dict[str, Any]:
        form = form or self.form_class(user=self.request.user, query=self.request.GET)
        return {"form": form, "query": self.request.GET}

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST, user=request.user, query=request.GET)
        if form.is_valid():
            try:
                return self.done(request, form.cleaned_data)
            except DomainError as refusal:
                refuse(form, refusal)
        return self.render_to_response(self.get_context_data(form=form))

    def done(self, request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
        """Ask the service for it. Raises DomainError."""
        raise NotImplementedError


def refuse(form: forms.Form, refusal: DomainError) -> None:
    """Show a refusal at the fields it names, or above the form."""
    placed = False
    for field, sentences in (refusal.fields or {}).items():
        if field in form.fields:
            form.add_error(field, list(sentences))
            placed = True
    if not placed:
        form.add_error(None, refusal.message)


def dress(widget: forms.Widget) -> None:
    """Give a widget the console's classes."""
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
        widget.attrs.setdefault("class", "form-check-input")
    elif isinstance(widget, forms.Select):
        widget.attrs.setdefault("class", "form-select")
    else:
        widget.attrs.setdefault("class", "form-control")
    if isinstance(widget, forms.TextInput):
        widget.attrs.setdefault("autocomplete", "off")


def usable_datasets(user: User) -> QuerySet[Dataset]:
    """Select the datasets this person may use and that are available, the newest first."""
    return Dataset.objects.visible_to(user).filter(status=DatasetStatus.AVAILABLE).order_by("-created_at", "-pk")


def usable_annotation_data(user: User) -> QuerySet[AnnotationData]:
    """Select the annotation data this person may use and that are available, the newest first."""
    available = AnnotationData.objects.visible_to(user).filter(
        status=AnnotationDataStatus.AVAILABLE, dataset__status=DatasetStatus.AVAILABLE
    )
    return available.select_related("dataset").order_by("-created_at", "-pk")


class FewOf(forms.ModelChoiceField):
    """A choice among the newest MOST_CHOICES of many rows, and the one that is chosen already, however old."""

    def offer(self, rows: QuerySet[Any], chosen: str) -> None:
        self.queryset = rows
        few = list(rows[:MOST_CHOICES])
        if chosen and int(chosen) not in {row.pk for row in few}:
            few += list(rows.filter(pk=int(chosen)))
        empty = [("", self.empty_label)] if self.empty_label is not None else []
        self.widget.choices = empty + [(row.pk, self.label_from_instance(row)) for row in few]
        self.initial = chosen or None
