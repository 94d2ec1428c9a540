"""Stored counts of usage are what they count, whatever is made and deleted; and a difference is found."""

from __future__ import annotations

import pytest

from annotations.models import AnnotationData
from datasets.models import Dataset
from tests.annotations.builders import make_annotation_data
from usage.counting import recount_all
from usage.models import TrainingTask
from usage.services.annotation_jobs import create_annotation_job
from usage.services.deletions import delete_usage

from .builders import make_inference, make_labelled, make_project, make_training, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def counts_of(dataset):
    row = Dataset.objects.get(pk=dataset.pk)
    return (row.annotation_project_count, row.annotation_job_count, row.training_task_count, row.inference_job_count)


def test_a_dataset_counts_what_uses_it(user, other_user):
    dataset, data = make_labelled(user)
    project = make_project(dataset, annotation_data=[data])
    create_annotation_job(project=project, by=user, assignee=other_user, role="annotator")
    task = train(make_training(data))
    elsewhere, _data = make_labelled(user)
    make_inference(task, dataset, ground_truth=data)
    make_inference(task, elsewhere)
    assert counts_of(dataset) == (1, 1, 1, 1)
    assert counts_of(elsewhere) == (0, 0, 0, 1)


def test_annotation_data_count_what_uses_them(user):
    dataset, data = make_labelled(user)
    make_project(dataset, annotation_data=[data])
    task = train(make_training(data))
    truth = make_annotation_data(dataset)
    make_inference(task, dataset, ground_truth=truth)
    data.refresh_from_db()
    truth.refresh_from_db()
    assert (data.annotation_project_count, data.training_task_count, data.inference_job_count) == (1, 1, 0)
    assert (truth.annotation_project_count, truth.training_task_count, truth.inference_job_count) == (0, 0, 1)
    assert TrainingTask.objects.get(pk=task.pk).inference_job_count == 1


def test_what_is_deleted_is_not_counted_from_that_moment_on_elsewhere_either(user):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    elsewhere, truth = make_labelled(user)
    make_inference(task, elsewhere, ground_truth=truth)
    assert counts_of(elsewhere)[3] == 1
    delete_usage(row=task, by=user, confirmation="DELETE")
    assert counts_of(dataset) == (0, 0, 0, 0)
    assert counts_of(elsewhere) == (0, 0, 0, 0)
    assert AnnotationData.objects.get(pk=truth.pk).inference_job_count == 0


def test_counts_that_are_right_are_left_alone_and_wrong_ones_are_found(user, caplog):
    dataset, data = make_labelled(user)
    make_training(data)
    assert recount_all() == 0
    assert caplog.text == ""
    Dataset.objects.filter(pk=dataset.pk).update(training_task_count=7)
    AnnotationData.objects.filter(pk=data.pk).update(inference_job_count=3)
    assert recount_all() == 2
    assert "training_task_count" in caplog.text
    assert counts_of(dataset) == (0, 0, 1, 0)


def test_what_is_being_deleted_counts_what_has_not_been_erased_yet(user, caplog):
    dataset, data = make_labelled(user)
    make_project(dataset, annotation_data=[data])
    AnnotationData.objects.filter(pk=data.pk).update(status="deleting", annotation_project_count=7)
    assert recount_all() == 0
    assert not caplog.records
    Dataset.objects.filter(pk=dataset.pk).update(status="deleting", annotation_project_count=7)
    AnnotationData.objects.filter(pk=data.pk).update(status="available")
    assert recount_all() == 0
