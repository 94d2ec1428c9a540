"""Datasets to delete: real rows over real objects, or many rows for measuring."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from datasets.blobs.writer import BlobWriter
from datasets.models import (
    Blob,
    Dataset,
    DatasetOpening,
    DatasetStatus,
    Image,
    Ingest,
    IngestBatch,
    IngestStage,
    Outcome,
    Problem,
    Series,
    Study,
    Upload,
    UploadPart,
    UploadState,
)
from deepcap.common.chunks import in_chunks
from deepcap.common.leases import WorkState

LONG_AGO = timezone.now() - timedelta(days=30)


def make_dataset(owner, *, contents: Iterable[bytes], name: str = "chest", per_study: int = 2) -> Dataset:
    """An available dataset with a row in every table, one image for each of ``contents``, stored in the vault."""
    contents = list(contents)
    dataset = Dataset.objects.create(owner=owner, name=name, status=DatasetStatus.QUEUED)
    blob_ids = store_blobs(contents)
    for number, content in enumerate(contents):
        study, _ = Study.objects.get_or_create(
            dataset=dataset, key=f"1.2.{number // per_study}", defaults={"position": number // per_study}
        )
        series, _ = Series.objects.get_or_create(study=study, series_instance_uid=f"1.2.{number // per_study}.1")
        image = Image.objects.create(
            dataset=dataset,
            study=study,
            series=series,
            blob_id=blob_ids[content],
            path=f"{number}.dcm",
            position=number % per_study,
            **PIXELS,
        )
        Study.objects.filter(pk=study.pk, cover=None).update(cover=image)
    DatasetOpening.objects.create(dataset=dataset, user=owner)
    Problem.objects.create(dataset=dataset, path="a.txt", outcome=Outcome.SKIPPED, code="not_an_image", message="No.")
    ingest = Ingest.objects.create(dataset=dataset, stage=IngestStage.DONE, state=WorkState.DONE)
    IngestBatch.objects.create(ingest=ingest, number=1, members=[], member_count=1, byte_count=1, state=WorkState.DONE)
    settle(dataset)
    return dataset


PIXELS = {"format": "DICOM", "width": 512, "height": 512, "bits_stored": 12}


def store_blobs(contents: Iterable[bytes]) -> dict[bytes, int]:
    """Write the bytes, each with a thumbnail, as an ingest does; return the ids of the blobs."""
    digests = {content: hashlib.sha256(content).hexdigest() for content in contents}
    writer = BlobWriter.start(expires_at=timezone.now() + timedelta(minutes=5))
    known = writer.known(digests.values())
    for content, digest in digests.items():
        if digest not in known:
            writer.write(digest=digest, data=content, thumbnail=b"thumbnail of " + content)
    writer.sync()
    with transaction.atomic():
        ids = writer.commit(digests.values())
    return {content: ids[digest] for content, digest in digests.items()}


def settle(dataset: Dataset) -> None:
    """Make it available, or failed without images, with the counts a published dataset has."""
    images = Image.objects.filter(dataset=dataset)
    sizes = Blob.objects.filter(pk__in=images.values("blob")).values_list("size", flat=True)
    dataset.image_count, dataset.study_count = images.count(), dataset.studies.count()
    dataset.status = DatasetStatus.AVAILABLE if dataset.image_count else DatasetStatus.PREPARATION_FAILED
    dataset.size_bytes = sum(sizes)
    dataset.save()


def add_upload(dataset: Dataset, *, size: int, state: UploadState, key: str, multipart_id: str = "") -> Upload:
    upload = Upload.objects.create(
        dataset=dataset,
        filename="chest.zip",
        size=size,
        part_size=size,
        state=state,
        storage_key=key,
        multipart_id=multipart_id,
        created_by=dataset.owner,
        expires_at=timezone.now() + timedelta(days=3),
    )
    UploadPart.objects.create(upload=upload, number=1, etag="0", size=size)
    return upload


def make_rows(owner, *, images: int, name: str = "large", studies: int | None = None) -> Dataset:
    """An available dataset of many rows whose blobs have no objects; ``studies`` defaults to one an image."""
    dataset = Dataset.objects.create(owner=owner, name=name, status=DatasetStatus.QUEUED)
    studies = studies or images
    Study.objects.bulk_create(Study(dataset=dataset, key=str(n), position=n) for n in range(studies))
    study_ids = list(dataset.studies.order_by("position").values_list("pk", flat=True))
    for numbers in in_chunks(range(images), 5000):
        blobs = Blob.objects.bulk_create(
            Blob(
                digest=hashlib.sha256(f"{name} {n}".encode()).hexdigest(),
                size=1000,
                stem=f"blobs/{n % 256:02x}/{name}{n // 256:06d}/000001",
                touched_at=LONG_AGO,
            )
            for n in numbers
        )
        Image.objects.bulk_create(
            Image(dataset=dataset, study_id=study_ids[n % studies], blob=blob, path=f"{n}.dcm", position=n, **PIXELS)
            for n, blob in zip(numbers, blobs, strict=True)
        )
    settle(dataset)
    return dataset
