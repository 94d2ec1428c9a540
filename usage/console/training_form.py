"""The form that asks for a training."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationData, Split

from .forms import FewOf, UsageForm, usable_annotation_data

MOST_HYPERPARAMETERS = 100
FETCHES_SPLITS = {"hx-target": "#split-choice", "hx-select": "#split-choice", "hx-swap": "outerHTML"}


class AnnotationDataChoice(FewOf):
    def label_from_instance(self, obj: AnnotationData) -> str:
        return f"{obj.name} · {obj.get_annotation_type_display()} · {obj.dataset.name}"


class SplitChoice(FewOf):
    def label_from_instance(self, obj: Split) -> str:
        parts = " · ".join(f"{part['name']} {part['studies']}" for part in obj.report["parts"])
        return f"{obj.name} ({parts})"


class TrainingForm(UsageForm):
    """Training gate: without annotation data there is nothing to choose, and the page says why.

    Choosing annotation data fetches their splits.
    """

    annotation_data = AnnotationDataChoice(
        AnnotationData.objects.none(), label=gettext_lazy("Annotation data"), empty_label=gettext_lazy("Choose…")
    )
    split = SplitChoice(
        Split.objects.none(),
        required=False,
        label=gettext_lazy("Split"),
        empty_label=gettext_lazy("None: the training service divides the images itself"),
        help_text=gettext_lazy("Which studies are trained on, and which are kept to measure the model."),
    )
    architecture = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Model architecture"),
        help_text=gettext_lazy("As the training service calls it; left empty, the service chooses."),
    )
    hyperparameters = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("Hyperparameters"),
        help_text=gettext_lazy("One on each line, for example: epochs = 20"),
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )

    def prepare(self) -> None:
        self.chosen_data = None
        usable = usable_annotation_data(self.user)
        field: Any = self.fields["annotation_data"]
        field.offer(usable, self.chosen("annotation_data"))
        self.is_possible = len(field.widget.choices) > 1
        if chosen := self.chosen("annotation_data"):
            self.chosen_data = usable.filter(pk=int(chosen)).first()
        splits: Any = self.fields["split"]
        splits.offer(Split.objects.filter(annotation_data=self.chosen_data), self.chosen("split"))
        field.widget.attrs.update(FETCHES_SPLITS | {"hx-get": reverse("training-task-create")})
        if self.chosen_data and not self.is_bound:
            self.fields["name"].initial = self.chosen_data.name

    def clean_hyperparameters(self) -> dict[str, Any]:
        return hyperparameters_in(self.cleaned_data["hyperparameters"])


def hyperparameters_in(text: str) -> dict[str, Any]:
    """Return {name: value} of lines "name = value"; numbers, true, false and null are what they look like.

    Raises ValidationError for a line without a name or a value, and for a name that is there twice.
    """
    found: dict[str, Any] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not (name and sign and value):
            raise forms.ValidationError(_("“%(line)s” is not of the form: name = value.") % {"line": line[:60]})
        if name in found:
            raise forms.ValidationError(_("“%(name)s” is there twice.") % {"name": name[:60]})
        found[name] = _value(value)
    if len(found) > MOST_HYPERPARAMETERS:
        raise forms.ValidationError(_("At most %(most)d hyperparameters.") % {"most": MOST_HYPERPARAMETERS})
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=lambda constant: text)
    except ValueError:
        return text
    return text if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
