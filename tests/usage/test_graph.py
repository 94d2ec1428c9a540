"""What becomes of every table when a dataset goes is decided here, table by table and key by key.

A new table, or a new foreign key, fails these tests until somebody has decided.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from annotations.models import AnnotationData
from datasets.models import Dataset
from deepcap.common import cascade
from usage.models import AnnotationJob, AnnotationProject, InferenceJob, TrainingTask
from usage.under import WAYS

ERASED = {
    "annotations.AnnotatedImage",
    "annotations.Annotation",
    "annotations.AnnotationData",
    "annotations.Combination",
    "annotations.Derivation",
    "annotations.Label",
    "annotations.LabelImport",
    "annotations.LabelProblem",
    "annotations.Split",
    "annotations.SplitMember",
    "annotations.Statistics",
    "datasets.Dataset",
    "datasets.DatasetOpening",
    "datasets.DatasetSource",
    "datasets.GalleryEntry",
    "datasets.Image",
    "datasets.Ingest",
    "datasets.IngestBatch",
    "datasets.Problem",
    "datasets.Series",
    "datasets.Study",
    "datasets.Upload",
    "datasets.UploadPart",
    "usage.AnnotationJob",
    "usage.AnnotationProject",
    "usage.Evaluation",
    "usage.InferenceJob",
    "usage.JobStudy",
    "usage.PredictedImage",
    "usage.ProjectAnnotationData",
    "usage.ProjectMember",
    "usage.TrainingMetric",
    "usage.TrainingTask",
}
SURVIVES = {
    "accounts.AuditEvent": "the log names what is gone by value",
    "accounts.Notification": "belongs to the person who was told",
    "accounts.ServiceToken": "belongs to a person",
    "accounts.User": "people are never erased with data",
    "accounts.User_groups": "belongs to a person",
    "accounts.User_user_permissions": "belongs to a person",
    "datasets.Blob": "its bytes may be shown by other datasets; the vault lets go of it when nothing refers to it",
    "datasets.Deletion": "the receipt",
    "datasets.StorageRemoval": "the order to remove objects; gone once they are",
    "datasets.VaultCandidate": "the question whether a blob is still referred to; gone once answered",
    "datasets.WriteIntent": "accounts for bytes of a writer; swept",
    "usage.ClientRequest": "a client's key and an id by value; forgotten after a week",
}
LETS_GO = {
    "annotations.Combination.annotation_data": "the images that were combined stay when their labels go",
    "annotations.Derivation.source": "what was derived stands on its own",
    "datasets.Study.cover": "a study shows another image, or none",
    "usage.InferenceJob.ground_truth": "predictions do not need what they were measured against",
}
OUR_ROOMS = ("accounts", "datasets", "annotations", "usage")


def tables():
    """Return all tables of our rooms, those Django makes for many-to-many fields included."""
    configs = [apps.get_app_config(room) for room in OUR_ROOMS]
    return {model._meta.label for config in configs for model in config.get_models(include_auto_created=True)}


def test_every_table_is_either_erased_with_its_dataset_or_survives_for_a_reason():
    graph = {table._meta.label for table in cascade.Graph(Dataset).tables}
    assert graph == ERASED
    assert tables() == ERASED | set(SURVIVES)


def test_every_key_that_is_emptied_instead_has_a_reason():
    graph = cascade.Graph(Dataset)
    emptied = {str(link.field) for links in graph.nulling.values() for link in links}
    assert emptied == set(LETS_GO)


def test_nothing_that_stays_holds_on_to_a_dataset():
    graph = cascade.Graph(Dataset)
    holding = [link for links in graph.protecting.values() for link in links]
    assert {str(link.field): link.table in graph.tables for link in holding} == {"usage.TrainingTask.split": True}


@pytest.mark.parametrize("target", WAYS)
def test_the_ways_to_records_are_those_of_the_foreign_keys(target):
    """``usage.under`` says in lookups what the keys say: every chain of CASCADE from a record up to the target."""
    records = (AnnotationProject, AnnotationJob, TrainingTask, InferenceJob)
    expected = {record: chains for record in records if (chains := ways_up(record, target))}
    assert {record: set(ways) for record, ways in WAYS[target].items()} == expected


def ways_up(record, target):
    if record is target:
        return {"pk"}
    ways = set()
    for field in record._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is models.CASCADE:
            if field.related_model is target:
                ways.add(field.name)
            elif field.related_model in (Dataset, AnnotationData, AnnotationProject, TrainingTask):
                ways |= {f"{field.name}__{way}" for way in ways_up(field.related_model, target) if way != "pk"}
    return ways
