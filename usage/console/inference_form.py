"""The form that asks for an inference: a model, a dataset, and what is known of its images."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationData
from datasets.models import Dataset
from deepcap.accounts.models import User
from usage.models import TrainingTask, WorkStatus

from .forms import FewOf, UsageForm, usable_annotation_data, usable_datasets


def trained(user: User) -> QuerySet[TrainingTask]:
    """Select the tasks that this person may use and that have a model, the newest first."""
    tasks = TrainingTask.objects.visible_to(user).filter(status=WorkStatus.FINISHED).exclude(model=None)
    return tasks.select_related("annotation_data").order_by("-created_at", "-pk")


class ModelChoice(FewOf):
    def label_from_instance(self, obj: TrainingTask) -> str:
        return f"{obj.name} · {obj.get_annotation_type_display()}"


class GroundTruthChoice(FewOf):
    def label_from_instance(self, obj: AnnotationData) -> str:
        return obj.name


class InferenceForm(UsageForm):
    """Model and dataset are chosen first: they decide which annotation data can be the ground truth."""

    training_task = ModelChoice(
        TrainingTask.objects.none(), label=gettext_lazy("Model"), empty_label=gettext_lazy("Choose…")
    )
    dataset = FewOf(Dataset.objects.none(), label=gettext_lazy("Dataset"), empty_label=gettext_lazy("Choose…"))
    ground_truth = GroundTruthChoice(
        AnnotationData.objects.none(),
        required=False,
        label=gettext_lazy("Ground truth"),
        empty_label=gettext_lazy("None: predictions only"),
        help_text=gettext_lazy("Annotation data that the predictions are compared with. Without, there is no report."),
    )

    def prepare(self) -> None:
        fields: Any = self.fields
        models, datasets = trained(self.user), usable_datasets(self.user)
        fields["training_task"].offer(models, self.chosen("training_task"))
        fields["dataset"].offer(datasets, self.chosen("dataset"))
        self.is_possible = len(fields["training_task"].widget.choices) > 1
        self.task = self._one(models, "training_task")
        self.on = self._one(datasets, "dataset")
        truth = AnnotationData.objects.none()
        if self.task and self.on:
            truth = usable_annotation_data(self.user).filter(dataset=self.on, annotation_type=self.task.annotation_type)
            if not self.is_bound:
                self.fields["name"].initial = f"{self.task.name} – {self.on.name}"[:200]
        fields["ground_truth"].offer(truth, self.chosen("ground_truth"))

    def _one(self, rows: QuerySet[Any], name: str) -> Any:
        chosen = self.chosen(name)
        return rows.filter(pk=int(chosen)).first() if chosen else None
