"""The form of a new annotation project: settings, labels, members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationData, AnnotationType, Label
from datasets.models import Dataset
from usage.models import JobRole, ValidationMethod
from usage.services.annotation_projects import LABEL_LENGTH, Member

from .forms import FewOf, UsageForm, usable_annotation_data, usable_datasets
from .people import people_in

MOST_LABELS = 1_000
MOST_SETS = 50


class IncludedChoice(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: AnnotationData) -> str:
        return f"{obj.name} · {obj.get_annotation_type_display()}"


def day_field(label: Any) -> forms.DateField:
    return forms.DateField(required=False, label=label, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))


class ScheduleForm(forms.Form):
    """What of a project can be edited as long as it exists."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Project name"))
    instruction = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("Instruction"),
        widget=forms.Textarea({"rows": 4}),
    )
    annotation_due = day_field(gettext_lazy("Annotation due"))
    review_due = day_field(gettext_lazy("Review due"))
    finish_on = day_field(gettext_lazy("Finish date"))


class ProjectForm(UsageForm, ScheduleForm):
    """The dataset is chosen first: it decides which annotation data can be included."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Project name"))
    dataset = FewOf(Dataset.objects.none(), label=gettext_lazy("Dataset"), empty_label=gettext_lazy("Choose…"))
    annotation_data = IncludedChoice(
        AnnotationData.objects.none(),
        required=False,
        label=gettext_lazy("Include annotation data"),
        help_text=gettext_lazy("Annotators begin with these instead of with nothing."),
        widget=forms.CheckboxSelectMultiple,
    )
    validation_method = forms.ChoiceField(
        choices=ValidationMethod.choices, initial=ValidationMethod.REVIEWER, label=gettext_lazy("Validation method")
    )
    annotators_per_study = forms.TypedChoiceField(
        choices=[(n, n) for n in range(2, 6)],
        coerce=int,
        initial=2,
        label=gettext_lazy("How many annotators should work on each study?"),
        help_text=gettext_lazy("Only for validation by DSV; reviewers validate the work of one."),
    )
    review_percentage = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=100,
        label=gettext_lazy("Studies to be reviewed, in per cent"),
        help_text=gettext_lazy("Only for validation by reviewers."),
    )
    annotators = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("Annotators"),
        help_text=gettext_lazy("User names or e-mail addresses of registered people, separated by commas."),
    )
    reviewers = forms.CharField(
        max_length=10_000,
        required=False,
        label=gettext_lazy("Reviewers"),
        help_text=gettext_lazy("The same person may be both."),
    )

    def prepare(self) -> None:
        fields: Any = self.fields
        datasets = usable_datasets(self.user)
        fields["dataset"].offer(datasets, self.chosen("dataset"))
        self.is_possible = len(fields["dataset"].widget.choices) > 1
        chosen = self.chosen("dataset")
        self.on = datasets.filter(pk=int(chosen)).first() if chosen else None
        offered = (
            usable_annotation_data(self.user).filter(dataset=self.on) if self.on else AnnotationData.objects.none()
        )
        fields["annotation_data"].queryset = offered
        included = [data for data in offered[:MOST_SETS] if str(data.pk) == self.chosen("annotation_data")]
        if not self.is_bound:
            fields["annotation_data"].initial = [data.pk for data in included]
        for value, label in AnnotationType.choices:
            fields[f"labels_{value}"] = forms.CharField(
                required=False,
                label=label,
                max_length=(LABEL_LENGTH + 1) * MOST_LABELS,
                initial=_labels_of(included, value),
                widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
            )
        if self.on and not self.is_bound:
            fields["name"].initial = self.on.name

    @property
    def label_fields(self) -> list[forms.BoundField]:
        return [self[f"labels_{value}"] for value in AnnotationType.values]

    def clean_annotators(self) -> list[Member]:
        return [Member(user, JobRole.ANNOTATOR) for user in people_in(self.cleaned_data["annotators"])]

    def clean_reviewers(self) -> list[Member]:
        return [Member(user, JobRole.REVIEWER) for user in people_in(self.cleaned_data["reviewers"])]

    def clean(self) -> dict[str, Any]:
        """Turn the fields into what the service asks for."""
        values = super().clean() or {}
        types = []
        for kind in AnnotationType.values:
            labels = [line.strip() for line in values.pop(f"labels_{kind}", "").splitlines() if line.strip()]
            if len(labels) > MOST_LABELS:
                self.add_error(f"labels_{kind}", _("At most %(most)d labels.") % {"most": MOST_LABELS})
            if labels:
                types.append({"annotation_type": kind, "labels": labels})
        if not types and not self.errors:
            raise forms.ValidationError(_("At least one annotation type needs labels."))
        values["annotation_types"] = types
        values["members"] = [*values.pop("annotators", []), *values.pop("reviewers", [])]
        if values.get("validation_method") == ValidationMethod.REVIEWER:
            values["annotators_per_study"] = 1
        values["annotation_data"] = list(values.get("annotation_data") or [])
        return values


def _labels_of(included: list[AnnotationData], annotation_type: str) -> str:
    """Return the names of the labels of these annotation data, one on each line."""
    wanted = [data.pk for data in included if data.annotation_type == annotation_type]
    names = Label.objects.filter(annotation_data__in=wanted).order_by("name").values_list("name", flat=True)
    return "\n".join(names[:MOST_LABELS]) if wanted else ""
