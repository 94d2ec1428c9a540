"""The sample files: a small set in the repository, and a larger one beside it where it is present."""

import csv
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests import shared

LOCAL = Path(__file__).parents[1] / "data" / "imaging"
FOLDERS = ("dicom/", "images/", "bad/dicom/", "bad/jpg/", "bad/png/")

# Its palette was read in the wrong byte order, so the reference is black; the little endian picture is right.
WRONG_REFERENCES = {"dicom/pydicom-data/OBXXXX1A_expb.dcm"}
SEGMENTATION_WORDS = ("as a segmentation", "SEG;")


@dataclass(frozen=True)
class Sample:
    """One row of a manifest."""

    root: Path
    path: str
    exercises: str
    expected: str
    frames: int
    renderings: tuple[str, ...]

    def __str__(self) -> str:
        return self.path

    @property
    def is_wide(self) -> bool:
        """Whether the file is not in the repository."""
        return self.root != LOCAL

    @property
    def data(self) -> bytes:
        return (self.root / self.path).read_bytes()

    def expected_frames(self) -> list[tuple[int, Path]]:
        """Pair frame numbers (first, middle, last) with their reference renderings."""
        numbers = {0: [], 1: [1], 2: [1, self.frames], 3: [1, self.frames // 2 + 1, self.frames]}
        return [
            (number, self.root / name)
            for number, name in zip(numbers[len(self.renderings)], self.renderings, strict=True)
        ]

    @property
    def outcomes(self) -> set[str]:
        """The outcomes that the manifest's sentence allows: accepted, rejected, skipped."""
        text = self.expected
        if any(word in text or word in self.exercises for word in SEGMENTATION_WORDS):
            return {"skipped"}
        if text.startswith(("decodes; rejected where the 16", "rejected: missing Rows")):
            return {"rejected"}
        if "4096 px" in text:  # the limit of these tests is 16384
            return {"accepted"}
        if text.startswith("accepted") and ("rejected" in text or "if " in text):
            return {"accepted", "rejected"}
        if text.startswith("rejected") and ("or accepted" in text or "or shown" in text or "or decoded" in text):
            return {"accepted", "rejected"}
        if text.startswith("rejected as an image: no pixel data"):
            return {"skipped"}
        if text.startswith(("rejected: no image", "rejected: unsupported transfer syntax (pydicom")):
            return {"rejected", "skipped"}
        return {"accepted"} if text.startswith("accepted") else {"rejected"}


def load(root: Path) -> list[Sample]:
    """Return the samples of a folder with a manifest; none where there is no such folder."""
    manifest = root / "manifest.csv"
    if not manifest.exists():
        return []
    with manifest.open(newline="") as file:
        return [
            Sample(
                root,
                row["path"],
                row["exercises"],
                row["expected"],
                int(row["frames"]) if row["frames"].isdigit() else 1,
                tuple(row["expected_png"].split()),
            )
            for row in csv.DictReader(file)
            if row["path"].startswith(FOLDERS)
        ]


@cache
def all_samples() -> list[Sample]:
    """Return every sample once, the repository's own copy first."""
    local = load(LOCAL)
    known = {sample.path for sample in local}
    return local + [sample for sample in load(shared.FOLDER) if sample.path not in known]


def local(path: str) -> bytes:
    """Return the bytes of a file in the repository's own set."""
    return (LOCAL / path).read_bytes()


def pixels(png: bytes | Path) -> NDArray[np.uint8]:
    """Return the pixels of a PNG, grey or RGB."""
    with Image.open(io.BytesIO(png) if isinstance(png, bytes) else png) as image:
        return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Return the mean absolute difference of two pictures of the same size, grey counted as colour where needed."""
    if one.ndim != other.ndim:
        one, other = (picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2) for picture in (one, other))
    assert one.shape == other.shape
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).mean())


def averaged(picture: NDArray[np.generic], width: int, height: int) -> NDArray[np.float64]:
    """Return a picture scaled down by exact area averaging: the oracle for thumbnails."""
    down, across = _weights(picture.shape[0], height), _weights(picture.shape[1], width)
    return np.einsum("ih,hw...,jw->ij...", down, picture.astype(np.float64), across, optimize=True)


def _weights(size: int, target: int) -> NDArray[np.float64]:
    edges = np.arange(target + 1) * size / target
    low = np.clip(edges[:-1, None] - np.arange(size), 0, 1)
    high = np.clip(edges[1:, None] - np.arange(size), 0, 1)
    return (high - low) * target / size
