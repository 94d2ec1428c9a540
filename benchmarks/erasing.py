"""A deletion from the request to the receipt, with every transaction timed. Runs in ``child``."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from typing import Any

from django.utils import timezone

from annotations.models import AnnotationData
from datasets.blobs import sweep
from datasets.deletion import run, work
from datasets.models import Blob, Dataset, Deletion, DeletionStage, Study
from datasets.services.deletions import delete_dataset
from usage.models import AnnotationJob, AnnotationProject, InferenceJob, JobStudy, TrainingMetric, TrainingTask

from .labelling import multiply_boxes
from .processes import peak_bytes
from .rows import multiply, person
from .timing import Phases, Transactions

BOXES = 3  # of an image
METRICS = 10_000
PHASES = {"rows": (work, "erase"), "vault": (work, "_remove_objects")}


def furnish(name: str) -> None:
    """Give each image of the dataset ``name`` three boxes, and use it: a project, a job, a training, an inference."""
    dataset = Dataset.objects.get(owner=person("many"), name=name)
    multiply_boxes(dataset.image_count * BOXES)
    data = AnnotationData.objects.get(dataset=dataset)
    counts = {"image_count": dataset.image_count, "annotation_count": dataset.image_count * BOXES}
    AnnotationData.objects.filter(pk=data.pk).update(**counts)
    types = [{"annotation_type": data.annotation_type, "labels": ["heart"]}]
    project = AnnotationProject.objects.create(dataset=dataset, name="project", annotation_types=types)
    job = AnnotationJob.objects.create(project=project, study_count=dataset.study_count)
    first = Study.objects.filter(dataset=dataset).order_by("pk")[0]
    study = JobStudy.objects.create(job=job, study=first)
    multiply(study, dataset.study_count // 10 - 1, {"study_id": f"{first.pk} + n"})
    task = TrainingTask.objects.create(annotation_data=data, name="training", annotation_type=data.annotation_type)
    metric = TrainingMetric.objects.create(training_task=task, name="loss", step=0, value=1)
    multiply(metric, METRICS - 1, {"step": "n"})
    InferenceJob.objects.create(training_task=task, dataset=dataset, name="inference")


def request(name: str) -> dict[str, Any]:
    """Ask for the deletion of the dataset ``name`` of the person "many", in the words of the console."""
    dataset = Dataset.objects.get(owner=person("many"), name=name)
    Blob.objects.filter(images__dataset=dataset).update(touched_at=timezone.now() - timedelta(days=30))
    dataset.get_absolute_url()  # a process that serves pages has loaded them long ago
    transactions = Transactions("request")
    with transactions:
        start = time.perf_counter()
        deletion = delete_dataset(dataset=dataset, by=dataset.owner, confirmation="DELETE")
        seconds = time.perf_counter() - start
    return {"deletion": deletion.pk, "seconds": seconds, **transactions.summary("request")}


def erase_and_die(deletion_id: int, rows: int) -> None:
    """Work until so many rows have gone, then end like a process that is killed: this process, by SIGKILL."""
    erased = Deletion.extend_lease

    def extend(deletion: Deletion, **values: Any) -> None:
        erased(deletion, **values)
        if sum(values.get("counts", {}).values()) >= rows:
            os.kill(os.getpid(), signal.SIGKILL)

    Deletion.extend_lease = extend  # type: ignore[method-assign]
    while run(deletion_id):
        pass


def erase(deletion_id: int) -> dict[str, Any]:
    """Take a deletion whose worker died to its end; return rows, seconds, memory, how long transactions took."""
    before = Deletion.objects.get(pk=deletion_id)
    Deletion.objects.filter(pk=deletion_id).update(lease_until=timezone.now() - timedelta(seconds=1))
    transactions = Transactions("rows")
    phases = Phases(transactions)
    with transactions, phases.of(PHASES):
        while run(deletion_id):
            pass
    deletion = Deletion.objects.get(pk=deletion_id)
    left = Blob.objects.exists() or sweep.VaultCandidate.objects.exists() or Study.objects.filter(cover=None).exists()
    if deletion.stage != DeletionStage.DONE or left:
        raise RuntimeError(f"The deletion ended in stage {deletion.stage}: {deletion.counts}")
    return {
        "counts": deletion.counts,
        "objects_removed": deletion.objects_removed,
        "rows_before": sum(before.counts.values()),
        "rows": sum(deletion.counts.values()) - sum(before.counts.values()),
        "phases": {phase: {"seconds": phases.seconds[phase], **transactions.summary(phase)} for phase in PHASES},
        "peak": peak_bytes(os.getpid()),
    }
