"""Long CT series for the viewer, and what their scenes and frames cost the process that answers."""

from __future__ import annotations

import copy
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

SLICES, STUDIES = 300, 3
ENCODINGS = {"raw": "uncompressed", "j2k": "JPEG 2000"}
USER, PASSWORD = "admin", "benchmark"


def make_zip(folder: Path, encoding: str) -> Path:
    """Return a zip of studies of many slices: the head phantom's, moved by rows so that no two are the same."""
    import numpy as np
    from pydicom.encaps import encapsulate

    from . import corpus

    path = folder / f"viewer-{corpus.VERSION}" / f"viewer {encoding}.zip"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    originals = [(dataset, dataset.pixel_array) for dataset in corpus.KINDS["ct"].originals()]
    _, syntax, encode = corpus.ENCODINGS[encoding]
    with zipfile.ZipFile(partial, "w") as archive:
        for number in range(STUDIES * SLICES):
            study, place = divmod(number, SLICES)
            dataset, pixels = originals[place % len(originals)]
            moved = np.ascontiguousarray(np.roll(pixels, place // len(originals) + 40 * study, axis=0))
            uid = f"{corpus.UID_ROOT}.77.{list(ENCODINGS).index(encoding)}.{study + 1}"
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid, f"{uid}.1"
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{uid}.1.{place + 1}"
            dataset.InstanceNumber = place + 1
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.PixelData = moved.tobytes() if encode is None else encapsulate([encode(moved, dataset)])
            dataset["PixelData"].VR = "OW" if encode is None else "OB"
            dataset["PixelData"].is_undefined_length = encode is not None
            archive.writestr(f"{study}/{place:04d}.dcm", corpus._bytes_of(dataset))
    partial.rename(path)
    return path


def studies_of(name: str) -> list[int]:
    """Return the ids of the studies of a dataset, in order."""
    from datasets.models import Study

    return list(Study.objects.filter(dataset__name=name).order_by("position").values_list("pk", flat=True))


def grow(study: int, images: int) -> int:
    """Give a study that many images, all of the bytes that its first has; return its id."""
    from datasets.models import Image, Study

    first = Image.objects.filter(study=study).order_by("position")[0]
    have = Image.objects.filter(study=study).count()
    rows = []
    for position in range(have, images):
        row = Image.objects.get(pk=first.pk) if not rows else copy.copy(rows[0])
        row.pk, row.path, row.position = None, f"copy/{position}.dcm", position
        rows.append(row)
    Image.objects.bulk_create(rows, batch_size=500)
    Study.objects.filter(pk=study).update(image_count=images)
    return study


def costs(studies: list[int], rounds: int) -> list[dict[str, Any]]:
    """Return what scenes and frames cost the process that answers."""
    from django.test import Client

    from datasets.models import Image
    from deepcap.accounts.models import User

    client = Client(headers={"Host": "localhost", "Accept-Encoding": "gzip"})
    client.force_login(User.objects.get(username=USER))
    small, huge = studies
    images = Image.objects.filter(study=huge).count()
    image = Image.objects.filter(study=small)[0].pk
    scene = f"/viewer/studies/{huge}/scene/"
    etag = client.get(scene).headers["ETag"]
    visits: list[tuple[str, str, dict[str, str]]] = [
        (f"scene of {SLICES} images", f"/viewer/studies/{small}/scene/", {}),
        (f"scene of {images:,} images", scene, {}),
        (f"scene of {images:,} images, known already", scene, {"If-None-Match": etag}),
        ("frame, as stored", f"/viewer/images/{image}/frames/1/", {}),
        ("frame, decoded by the server", f"/viewer/images/{image}/frames/1/?decode=server", {}),
    ]
    return [_visit(client, title, path, headers, rounds) for title, path, headers in visits]


def _visit(client: Any, title: str, path: str, headers: dict[str, str], rounds: int) -> dict[str, Any]:
    walls, cpus, size = [], [], 0
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        size = len(client.get(path, headers=headers).content)
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    return {"title": title, "numbers": [median(walls), median(cpus), size / 1024]}
