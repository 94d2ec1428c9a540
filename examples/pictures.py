"""What the example model sees of an image: its thumbnail in 24 × 24 grey values."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable

import numpy as np
from PIL import Image

from .client import DeepCap

SIDE = 24


def features(thumbnail: bytes) -> np.ndarray:
    """Return 576 grey values from 0 to 1 as float32, row by row."""
    with Image.open(io.BytesIO(thumbnail)) as picture:
        small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).reshape(-1) / 255


def images_of(api: DeepCap, dataset: int) -> list[dict]:
    """Return the images of a dataset, each with ``path`` and ``thumbnail_url``, in display order."""
    studies = api.all(f"datasets/{dataset}/studies/")
    return [image for study in studies for image in api.all(f"studies/{study['id']}/images/")]


def read_features(api: DeepCap, images: Iterable[dict]) -> np.ndarray:
    """Return one row of features an image."""
    return np.stack([features(api.read(image["thumbnail_url"])) for image in images])


def classes_by_path(exported: bytes) -> dict[str, str]:
    """Return the class of each image of exported single-label annotation data: ``label.csv``, in a zip or alone."""
    if exported[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(exported)) as archive:
            [name] = [name for name in archive.namelist() if name.endswith("label.csv")]
            exported = archive.read(name)
    rows = csv.reader(io.StringIO(exported.decode("utf-8-sig")))
    return {row[0]: row[1] for row in rows if len(row) == 2}


def write_label_csv(rows: Iterable[tuple[str, str]]) -> bytes:
    """Return ``label.csv`` of single-label classification: image, class."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
