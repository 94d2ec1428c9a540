"""Rows and objects for tests, made the shortest way that leaves them as the product would."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from itertools import count

from datasets.blobs.keys import new_batch_prefix, stem_of
from datasets.blobs.store import get_store
from datasets.models import Blob, Dataset, DatasetStatus, Image, Ingest, IngestStage, Series, Study
from deepcap.common.leases import WorkState

_numbers = count(1)


def make_dataset(owner, name=None, *, studies=0, images=1, status=DatasetStatus.AVAILABLE, **fields) -> Dataset:
    """Return a dataset with ``studies`` studies of ``images`` PNG images each; one without is not available."""
    fields = {"study_count": studies, "image_count": studies * images, **fields}
    if not fields["image_count"] and status == DatasetStatus.AVAILABLE:
        status = DatasetStatus.PREPARATION_FAILED
    dataset = Dataset.objects.create(
        owner=owner,
        name=name or f"dataset {next(_numbers)}",
        status=status,
        image_format="JPG/PNG" if studies else "",
        **fields,
    )
    for position in range(studies):
        make_study(dataset, position, images=images)
    return dataset


def make_study(dataset, position=0, *, images=1) -> Study:
    study = Study.objects.create(
        dataset=dataset, key=f"study {position}", name=f"study {position}", position=position, image_count=images
    )
    made = [make_image(study, f"{position}/{place}.png", png(place), position=place) for place in range(images)]
    if made:
        study.cover = made[0]
        study.save()
    return study


def make_image(study, path, data=None, *, position=0, thumbnail=b"\xff\xd8 thumbnail \xff\xd9", **fields) -> Image:
    """Return an image whose ``data`` and ``thumbnail`` are in the vault."""
    data = png() if data is None else data
    digest = hashlib.sha256(data).hexdigest()
    stem = stem_of(new_batch_prefix(), 1)
    blob, created = Blob.objects.get_or_create(
        digest=digest, defaults={"size": len(data), "stem": stem, "has_thumbnail": thumbnail is not None}
    )
    if created:
        get_store().put(blob.original_key, data)
        if thumbnail is not None:
            get_store().put(blob.thumbnail_key, thumbnail)
    values = {"format": "PNG", "width": 20, "height": 16, "bits_stored": 8, **fields}
    return Image.objects.create(dataset=study.dataset, study=study, blob=blob, path=path, position=position, **values)


def make_ingest(dataset, **fields) -> Ingest:
    values = {"stage": IngestStage.DONE, "state": WorkState.DONE, **fields}
    return Ingest.objects.create(dataset=dataset, **values)


def make_series(study, uid="1.2.3") -> Series:
    return Series.objects.create(study=study, series_instance_uid=uid)


def png(shade=0, *, width=20, height=16) -> bytes:
    """Return a grey PNG (ISO/IEC 15948) of one shade."""
    rows = (b"\0" + bytes([shade % 256]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def zip_of(members: Sequence[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()
