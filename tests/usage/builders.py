"""Records of usage for tests, made by the services that make them in the product."""

from __future__ import annotations

import io
from itertools import count

from annotations.models import AnnotationType
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset
from usage.models import WorkStatus
from usage.services.annotation_projects import Member, create_annotation_project, publish_project
from usage.services.inference_jobs import create_inference_job
from usage.services.results import store_model, store_results
from usage.services.training_tasks import create_training_task
from usage.services.work import advance, finish

_numbers = count(1)
TYPES = [{"annotation_type": AnnotationType.SINGLE_LABEL, "labels": ["abnormal", "normal"]}]


def make_labelled(owner, **fields):
    """Return an available dataset of three studies and annotation data of it."""
    dataset = make_dataset(owner, **{"studies": 3, **fields})
    return dataset, make_annotation_data(dataset)


def make_training(annotation_data, *, by=None, name=None, split=None):
    by, name = by or annotation_data.dataset.owner, name or f"training {next(_numbers)}"
    return create_training_task(annotation_data=annotation_data, by=by, name=name, split=split)


def train(task, *, model: bytes | None = None):
    """Take a waiting task to its end, with a model."""
    by = task.annotation_data.dataset.owner
    advance(row=task, by=by, status=WorkStatus.RUNNING)
    data = model or f"model {next(_numbers)}".encode()
    store_model(training_task=task, by=by, claim=None, file=io.BytesIO(data), filename="model.onnx")
    finish(row=task, by=by)
    return task


def make_inference(task, dataset, *, ground_truth=None):
    return create_inference_job(
        training_task=task,
        dataset=dataset,
        by=dataset.owner,
        name=f"inference {next(_numbers)}",
        ground_truth=ground_truth,
    )


def predict(job, *, csv: bytes | None = None):
    """Take a waiting job to its end, with predictions for every image."""
    by = job.dataset.owner
    advance(row=job, by=by, status=WorkStatus.RUNNING)
    rows = "".join(f"{path},normal\n" for path in job.dataset.images.values_list("path", flat=True))
    file = io.BytesIO(csv or rows.encode())
    store_results(row=job, by=by, claim=None, file=file, filename="predictions.csv", file_format="csv")
    finish(row=job, by=by)
    return job


def make_project(dataset, *, annotators=(), reviewers=(), publish=False, **fields):
    members = [Member(user, "annotator") for user in annotators] + [Member(user, "reviewer") for user in reviewers]
    values = {"name": f"project {next(_numbers)}", "annotation_types": TYPES, "members": members, **fields}
    project = create_annotation_project(dataset=dataset, by=dataset.owner, **values)
    return publish_project(project=project, by=dataset.owner) if publish else project
