"""Whatever is done in whatever order, also by workers that die: what was deleted has gone, what was not is whole."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from annotations import combine as combining
from annotations import derive as deriving
from annotations.models import AnnotationData, AnnotationType, LabelImport
from annotations.services.combinations import Wanted, combine_datasets
from annotations.services.deletions import delete_annotation_data
from annotations.services.derivations import convert
from annotations.tasks import run_import
from datasets import hooks
from datasets.blobs.reconcile import reconcile
from datasets.blobs.store import get_store
from datasets.blobs.sweep import sweep
from datasets.deletion import run
from datasets.models import Blob, Dataset, Deletion, DeletionStage, Image, Study
from datasets.services.deletions import delete_dataset
from deepcap.accounts.models import User
from deepcap.common import cascade
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset
from usage.counting import recount_all
from usage.evaluation import run as evaluate
from usage.models import (
    AnnotationJob,
    AnnotationProject,
    Evaluation,
    InferenceJob,
    PredictedImage,
    TrainingMetric,
    TrainingTask,
)
from usage.services.deletions import delete_usage
from usage.services.exports import export_predictions
from usage.services.work import stop

from .builders import make_inference, make_project, make_training, predict, train

RECORDS = (AnnotationProject, AnnotationJob, TrainingTask, InferenceJob)
COUNTED = {
    "datasets": Dataset,
    "studies": Study,
    "images": Image,
    "annotation_data": AnnotationData,
    "annotation_projects": AnnotationProject,
    "annotation_jobs": AnnotationJob,
    "training_tasks": TrainingTask,
    "training_metrics": TrainingMetric,
    "inference_jobs": InferenceJob,
    "evaluations": Evaluation,
    "predicted_images": PredictedImage,
}
TABLES = cascade.Graph(Dataset).tables
A_WHILE = timedelta(seconds=1)
moments = st.integers(1, 40)


class WorkerKilled(BaseException):
    """Stands for the end of a process: nothing catches it."""


class Histories(RuleBasedStateMachine):
    """Datasets of one person, what is said of them, what uses them. Bundles hold ids, also of what has gone."""

    deaths = 0
    datasets = Bundle("datasets")
    data = Bundle("data")
    tasks = Bundle("tasks")
    inferences = Bundle("inferences")
    projects = Bundle("projects")

    def __init__(self, mortals) -> None:
        super().__init__()
        self.mortals = mortals
        number = User.objects.count()
        self.user = User.objects.create_user(f"owner {number}")
        self.member = User.objects.create_user(f"member {number}")
        self.made: Counter[str] = Counter()

    def alive(self, model, pk):
        return model.objects.visible_to(self.user).filter(pk=pk).first()

    @rule(target=datasets, studies=st.integers(1, 3))
    def upload(self, studies):
        """The images of all datasets show the same few bytes: blobs are shared."""
        self.made.update(datasets=1, studies=studies, images=studies)
        return make_dataset(self.user, studies=studies).pk

    @rule(target=data, dataset=datasets)
    def label(self, dataset):
        if not (dataset := self.alive(Dataset, dataset)):
            return multiple()
        self.made["annotation_data"] += 1
        return make_annotation_data(dataset).pk

    @rule(target=tasks, data=data)
    def train(self, data):
        if not (data := self.alive(AnnotationData, data)):
            return multiple()
        task = train(make_training(data), model=b"the same model")
        TrainingMetric.objects.create(training_task=task, name="loss", step=1, value=0.5)
        self.made.update(training_tasks=1, training_metrics=1)
        return task.pk

    @rule(data=data)
    def ask_for_a_training(self, data):
        if data := self.alive(AnnotationData, data):
            make_training(data)
            self.made["training_tasks"] += 1

    @rule(target=inferences, task=tasks, dataset=datasets, data=data)
    def infer(self, task, dataset, data):
        task, dataset = self.alive(TrainingTask, task), self.alive(Dataset, dataset)
        if not (task and dataset):
            return multiple()
        truth = self.alive(AnnotationData, data)
        fits = truth is not None and truth.dataset_id == dataset.pk
        self.made.update(inference_jobs=1, evaluations=1)
        return predict(make_inference(task, dataset, ground_truth=truth if fits else None)).pk

    @rule(inference=inferences, moment=moments)
    def evaluate(self, inference, moment):
        if not (job := self.alive(InferenceJob, inference)) or job.evaluation.state == "done":
            return
        self.kill("tests.usage.killed", job.evaluation, moment)
        evaluate(job.evaluation.pk)
        assert job.predicted_images.count() == job.dataset.image_count
        self.made["predicted_images"] += job.dataset.image_count

    @rule(target=data, data=data, moment=moments, is_made=st.booleans())
    def convert(self, data, moment, is_made):
        """Labels are merged, or that is only asked for."""
        if not (source := self.alive(AnnotationData, data)) or source.status != "available":
            return multiple()
        names = list(source.labels.values_list("name", flat=True))
        kind = AnnotationType.SINGLE_LABEL
        made = convert(annotation_data=source, by=self.user, annotation_type=kind, name="merged", merge={"any": names})
        self.made["annotation_data"] += 1
        if not is_made:
            return multiple()
        self.kill("tests.annotations.derive.killed", made.derivation, moment)
        deriving.run(made.derivation.pk)
        made.refresh_from_db()
        assert (made.status, made.image_count) == ("available", source.image_count)
        return made.pk

    @rule(target=datasets, one=datasets, other=datasets, moment=moments)
    def combine(self, one, other, moment):
        """With the first annotation data of each; the images of a dataset combined with itself are there twice."""
        sources = [self.alive(Dataset, pk) for pk in {one, other}]
        if None in sources or len(sources) < 2:
            return multiple()
        labels = [source.annotation_data.filter(status="available").first() for source in sources]
        wanted = [
            {"dataset": source.pk} | ({"annotation_data": data.pk} if data else {})
            for source, data in zip(sources, labels, strict=True)
        ]
        made = combine_datasets(wanted=Wanted(wanted), by=self.user, name="combined")
        self.kill("tests.annotations.combine.killed", made.combination, moment)
        while combining.run(made.combination.pk):
            pass
        made.refresh_from_db()
        assert (made.status, made.image_count) == ("available", sum(source.image_count for source in sources))
        numbers = {"studies": made.study_count, "images": made.image_count}
        self.made.update(datasets=1, annotation_data=made.annotation_data.count(), **numbers)
        return made.pk

    @rule(target=data, inference=inferences)
    def keep_predictions(self, inference):
        if not (job := self.alive(InferenceJob, inference)):
            return multiple()
        made = export_predictions(inference_job=job, by=self.user)
        run_import(LabelImport.objects.get(annotation_data=made).pk)
        made.refresh_from_db()
        assert (made.status, made.image_count) == ("available", job.dataset.image_count)
        self.made["annotation_data"] += 1
        return made.pk

    @rule(target=projects, dataset=datasets, data=data)
    def annotate(self, dataset, data):
        if not (dataset := self.alive(Dataset, dataset)):
            return multiple()
        data = self.alive(AnnotationData, data)
        included = [data] if data and data.dataset_id == dataset.pk else []
        self.made.update(annotation_projects=1, annotation_jobs=1)
        return make_project(dataset, annotators=[self.member], annotation_data=included, publish=True).pk

    @rule(project=projects)
    def stop_a_project(self, project):
        project = self.alive(AnnotationProject, project)
        if project and project.status == "in_progress":
            stop(row=project, by=self.user)

    @rule(dataset=consumes(datasets))
    def delete_a_dataset(self, dataset):
        if dataset := self.alive(Dataset, dataset):
            delete_dataset(dataset=dataset, by=self.user, confirmation="DELETE")

    @rule(data=consumes(data))
    def delete_annotation_data(self, data):
        if data := self.alive(AnnotationData, data):
            delete_annotation_data(annotation_data=data, by=self.user, confirmation="DELETE")

    @rule(task=tasks)
    def delete_a_task(self, task):
        self.delete(TrainingTask, task)

    @rule(inference=inferences)
    def delete_an_inference(self, inference):
        self.delete(InferenceJob, inference)

    @rule(project=projects, only_a_job=st.booleans())
    def delete_a_project(self, project, only_a_job):
        job = AnnotationJob.objects.filter(project=project).values_list("pk", flat=True).first()
        self.delete(*((AnnotationJob, job) if only_a_job else (AnnotationProject, project)))

    def delete(self, model, pk):
        if row := self.alive(model, pk):
            delete_usage(row=row, by=self.user, confirmation="DELETE")

    def kill(self, module, work, moment):
        """Have a process of its own do the work, which is killed with SIGKILL at ``moment``, if it gets that far."""
        status = self.mortals.run(module, work.pk, moment)
        assert status in (0, -signal.SIGKILL), status
        Histories.deaths += status == -signal.SIGKILL
        type(work).objects.filter(pk=work.pk, state="running").update(lease_until=timezone.now() - A_WHILE)

    @rule(moment=st.integers(1, 60))
    def a_worker_that_erases_is_killed(self, moment):
        for deletion in Deletion.objects.exclude(stage=DeletionStage.DONE).order_by("pk"):
            self.kill("tests.deletion.killed", deletion, moment)

    @rule(batches=st.integers(0, 12))
    def a_worker_erases_and_dies(self, batches):
        """It gets so many transactions far, in all of the deletions that wait, and dies within the next."""
        left = batches
        originals = dict(hooks.letting_go)

        def dying(label):
            def let_go(pks, *, deletion_id):
                nonlocal left
                if label in originals:
                    originals[label](pks, deletion_id=deletion_id)
                left -= 1
                if left < 0:
                    raise WorkerKilled

            return let_go

        labels = [table._meta.label for table in TABLES]
        with mock.patch.dict(hooks.letting_go, {label: dying(label) for label in labels}):
            for deletion in Deletion.objects.exclude(stage=DeletionStage.DONE).order_by("pk"):
                try:
                    run(deletion.pk)
                except WorkerKilled:
                    Deletion.objects.filter(pk=deletion.pk).update(lease_until=timezone.now())
                    return

    @invariant()
    def stored_counts_are_right(self):
        assert recount_all() == 0

    @invariant()
    def nothing_is_under_way_on_what_was_deleted(self):
        for model in (TrainingTask, InferenceJob):
            hidden = model.objects.exclude(pk__in=model.objects.alive())
            assert not hidden.filter(status__in=("waiting", "running")).exists()

    def teardown(self) -> None:
        kept = {model: set(model.objects.alive().values_list("pk", flat=True)) for model in RECORDS}
        datasets = {dataset.pk: dataset.image_count for dataset in Dataset.objects.visible_to(self.user)}
        data = {row.pk: row.image_count for row in AnnotationData.objects.visible_to(self.user)}
        self.finish_deletions()
        for model, pks in kept.items():
            assert set(model.objects.values_list("pk", flat=True)) == pks
        assert {row.pk: row.listed.count() for row in AnnotationData.objects.all()} == data
        assert {row.pk: row.images.count() for row in Dataset.objects.all()} == datasets
        for blob in Blob.objects.all():
            assert get_store().exists(blob.original_key)
        for pk in datasets:
            delete_dataset(dataset=Dataset.objects.get(pk=pk), by=self.user, confirmation="DELETE")
        self.finish_deletions()
        assert {table._meta.label: table.objects.count() for table in TABLES if table.objects.exists()} == {}
        assert not Blob.objects.exists()
        assert list(get_store().keys()) == []
        Deletion.objects.all().delete()

    def finish_deletions(self) -> None:
        """Bring all deletions to their end: then the receipts together say exactly what is not there any more."""
        for deletion in Deletion.objects.order_by("pk"):
            while deletion.stage != DeletionStage.DONE:
                run(deletion.pk)
                deletion.refresh_from_db()
        sweep()
        assert list(reconcile()) == []
        gone = {key: self.made[key] - model.objects.count() for key, model in COUNTED.items()}
        counts: Counter[str] = Counter()
        for deletion in Deletion.objects.all():
            counts.update(deletion.counts)
        assert {key: counts[key] for key in COUNTED} == gone


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_every_history_ends_with_nothing_of_what_was_deleted_and_all_of_what_was_not(mortals):
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    limits = settings(max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(lambda: Histories(mortals), settings=limits)
    assert Histories.deaths > 0
