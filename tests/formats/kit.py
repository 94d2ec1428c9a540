"""Label files in memory and in the zips of the shared data, for the tests of the formats."""

import functools
import io
import zipfile
from dataclasses import dataclass

import pytest

from annotations.formats import Found, Geometry, ImageRef, Images, LabelInfo, Listed, RowProblem, detect, read
from datasets.imaging import ImagingError
from datasets.imaging.examine import examine
from tests import shared

PICTURES = (".jpg", ".jpeg", ".png", ".dcm")


@dataclass(frozen=True)
class MemoryFile:
    path: str
    content: bytes

    @property
    def size(self):
        return len(self.content)

    def open(self):
        return io.BufferedReader(Forwards(self.content))


class Forwards(io.RawIOBase):
    """Bytes in which one cannot go back, like those of a large member of a zip."""

    def __init__(self, content):
        self.left = memoryview(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        taken = min(len(buffer), len(self.left))
        buffer[:taken] = self.left[:taken]
        self.left = self.left[taken:]
        return taken


@dataclass
class Result:
    found: list
    listed: list
    labels: list
    problems: list

    def counts(self):
        counts = {}
        for one in self.found:
            counts[one.label] = counts.get(one.label, 0) + 1
        return counts

    def rows(self):
        return [problem.row for problem in self.problems]


def sort(items):
    result = Result([], [], [], [])
    for item in items:
        kinds = {Found: result.found, Listed: result.listed, LabelInfo: result.labels, RowProblem: result.problems}
        kinds[type(item)].append(item)
    return result


def read_all(files, images, **options):
    """Return what is read of every set, by its suffix."""
    return {label_set.suffix: sort(read(label_set, images, options)) for label_set in detect(files, images)}


def read_one(files, images, **options):
    results = read_all(files, images, **options)
    assert len(results) == 1, list(results)
    return next(iter(results.values()))


def image(path="a.png", width=64, height=48, number=1, **more):
    return ImageRef(number, path, width, height, **more)


@functools.cache
def unzip(name):
    """Return the images (examined as ingest examines them) and the other files of one of the shared zips."""
    path = shared.FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    refs, files = [], []
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            content = archive.read(info)
            ref = _examined(len(refs) + 1, info.filename, content)
            if ref is None:
                files.append(MemoryFile(info.filename, content))
            else:
                refs.append(ref)
    return Images(refs), files


def _examined(number, path, content):
    """Return what ingest would know of the image; None for what is no image."""
    try:
        header = examine(content).header
    except ImagingError:
        return None
    return ImageRef(
        number,
        path.replace("\\", "/"),
        header.width,
        header.height,
        header.frames,
        header.orientation,
        header.sop_instance_uid,
        header.series_instance_uid,
        Geometry.of(header.attributes),
        str(header.attributes.get("FrameOfReferenceUID", "")),
    )
