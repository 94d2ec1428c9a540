"""Rows in every table that has a page in the admin."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from django.utils import timezone

from annotations.models import Combination, Derivation, Split
from datasets.models import (
    Deletion,
    DeletionStage,
    GalleryEntry,
    IngestBatch,
    IngestStage,
    Outcome,
    Problem,
    StorageRemoval,
    Upload,
    UploadPart,
    VaultCandidate,
    WriteIntent,
)
from deepcap.accounts.models import Notification, ServiceToken, User
from deepcap.accounts.services import record
from deepcap.common.leases import WorkState
from tests.annotations.builders import make_annotation_data, make_label_import
from tests.builders import make_dataset, make_image, make_ingest, make_series, png
from tests.usage.builders import make_inference, make_project, make_training, train
from usage.models import Evaluation

_numbers = count(1)


def fill_every_table(number: int = 1) -> None:
    """Add ``number`` rows, and what they need, to every table of the admin."""
    for _ in range(number):
        owner = User.objects.create_user(f"owner-{next(_numbers)}", password="x")
        dataset = make_dataset(owner, studies=1)
        study = dataset.studies.get()
        make_series(study)
        make_image(study, "other.png", png(next(_numbers)))
        data = make_annotation_data(dataset)
        make_label_import(dataset, data, [{"code": "label_row_invalid", "message": "Not a number.", "row": 1}])
        Derivation.objects.create(annotation_data=data, operation="merge")
        part = {"name": "train", "share": 1, "studies": 1, "images": 2, "labels": {}}
        Split.objects.create(annotation_data=data, name="parts", report={"parts": [part]}, created_by=owner)
        Combination.objects.create(dataset=dataset, annotation_data=data, recipe={"sources": []}, requested_by=owner)
        inference = make_inference(train(make_training(data)), dataset)
        Evaluation.objects.create(inference_job=inference, state=WorkState.FAILED, problem="It ended every worker.")
        make_project(dataset, annotators=[owner], publish=True)
        make_batches(make_ingest(dataset, stage=IngestStage.READING, state=WorkState.RUNNING))
        Problem.objects.create(dataset=dataset, path="a.txt", outcome=Outcome.SKIPPED, code="junk", message="Junk.")
        make_upload(owner)
        GalleryEntry.objects.create(dataset=dataset, name=dataset.name, published_by=owner)
        deletion = make_deletion(owner)
        StorageRemoval.objects.create(prefix=f"uploads/{next(_numbers)}", deletion=deletion)
        WriteIntent.objects.create(prefix=f"blobs/aa/{next(_numbers)}/", expires_at=timezone.now())
        VaultCandidate.objects.create(blob_pk=next(_numbers), deletion=deletion)
        token, _key = ServiceToken.objects.issue(user=owner, name="robot")
        Notification.objects.create(user=owner, kind="dataset.available", text="It is ready.")
        record(actor=owner, action=f"token.issued-{next(_numbers)}", target=token)
        owner.groups.create(name=f"group-{next(_numbers)}")


def make_batches(ingest, batches: int = 2, **fields) -> None:
    for number in range(batches):
        IngestBatch.objects.create(
            ingest=ingest, number=number, members=[{"name": "a.dcm"}], member_count=1, byte_count=10, **fields
        )


def make_upload(owner, **fields) -> Upload:
    upload = Upload.objects.create(
        dataset=make_dataset(owner, status="uploading"),
        filename="chest.zip",
        size=100,
        part_size=60,
        storage_key=f"uploads/upload-{next(_numbers)}",
        created_by=owner,
        expires_at=timezone.now() + timedelta(days=1),
        **fields,
    )
    UploadPart.objects.create(upload=upload, number=1, etag="0" * 32, size=60)
    return upload


def make_deletion(owner, **fields) -> Deletion:
    values = {
        "target_type": "datasets.dataset",
        "target_id": 1_000_000 + next(_numbers),
        "target_name": "gone",
        "stage": DeletionStage.ROWS,
        "attempts": 3,
        **fields,
    }
    return Deletion.objects.create(owner=owner, requested_by=owner, requested_by_name=owner.username, **values)
