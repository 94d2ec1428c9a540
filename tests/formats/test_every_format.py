"""What holds for all formats: what is written is read again, and no file, however damaged, raises."""

import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.formats import (
    DETECTION,
    FORMATS,
    MULTI_LABEL,
    SEGMENTATION,
    SINGLE_LABEL,
    Geometry,
    Images,
    ItemOut,
    LabelInfo,
    LabelSet,
    Mask,
    OutAnnotation,
    Output,
    detect,
    read,
    write,
)

from .kit import MemoryFile, image, sort

WIDTH, HEIGHT = 20, 16
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"))
NAMES = st.text(LETTERS, min_size=1, max_size=6) | st.sampled_from(
    [
        "001",
        "null",
        "true",
        "no",
        "=1+1",
        "'x",
        '"',
        "a,b",
        "a;b",
        "a: b",
        "#x",
        "- x",
        "<b>",
        "&amp;",
        "左肺",
        "x" * 200,
    ]
)
PATHS = ["a.png", "a.jpg", "A.png", "sub/a.png", "ü ber/左.png", "sub/b,c.png"]
PLACES = [Geometry((0, 0, 5.0 * place), (1, 0, 0, 0, 1, 0), (1, 1)) for place in range(3)]
PLAIN = [image(path, WIDTH, HEIGHT, number) for number, path in enumerate(PATHS, 1)]
SLICES = [
    image(f"ct/{n}.dcm", WIDTH, HEIGHT, 10 + n, sop_instance_uid=f"1.2.{n}", series_instance_uid="1.9", geometry=one)
    for n, one in enumerate(PLACES)
]
CINE = image("us.dcm", WIDTH, HEIGHT, 20, frames=4, sop_instance_uid="1.3.1", series_instance_uid="1.8")
IMAGES = Images([*PLAIN, *SLICES, CINE])
TOLD_APART = Images([*PLAIN[3:], *SLICES, CINE])  # without names that differ by case or extension alone
DICOM = Images([*SLICES, CINE])

SPANS = st.tuples(st.integers(0, 14), st.integers(0, 10), st.integers(1, 6), st.integers(1, 6))
SCORES = st.none() | st.floats(0, 1).map(lambda value: round(value, 3))


def pixels_of(box):
    x, y, width, height = box
    pixels = np.zeros((HEIGHT, WIDTH), bool)
    pixels[y : y + height, x : x + width] = True
    pixels[y, x] = width * height == 1
    return Mask.from_array(pixels)


def annotations(kind, label):
    if kind in (SINGLE_LABEL, MULTI_LABEL):
        values = st.just(1) if kind == SINGLE_LABEL else st.integers(0, 1)
        return st.tuples(label, values).map(lambda said: OutAnnotation(*said))
    if kind == DETECTION:
        boxes = SPANS.map(lambda box: tuple(map(float, box)))
        said = st.tuples(label, boxes, SCORES)
        return said.map(lambda said: OutAnnotation(said[0], bbox=said[1], score=said[2]))
    return st.tuples(label, SPANS).map(lambda said: OutAnnotation(said[0], mask=pixels_of(said[1])))


@st.composite
def worlds(draw, key, kind):
    """Draw labels, and for each image None (not listed) or what is said of it; of a class each image is said one thing
    where the format knows no more."""
    labels = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=str.casefold))
    images = DICOM if key == "dicom-seg" else IMAGES if key in NAMING else TOLD_APART
    items = []
    for ref in images:
        most = 1 if kind == SINGLE_LABEL else 4
        least = 1 if kind == SINGLE_LABEL else 0
        said = draw(st.none() | st.lists(annotations(kind, st.sampled_from(labels)), min_size=least, max_size=most))
        if said is None:
            continue
        if kind != DETECTION:
            said = list({one.label: one for one in said}.values())
        if ref.id == CINE.id and key in FRAMES and kind in (DETECTION, SEGMENTATION):
            said = [one._replace(frame=draw(st.integers(0, ref.frames))) for one in said]
        if key not in SCORED:
            said = [one._replace(score=None) for one in said]
        items.append(ItemOut(ref, said))
    return [LabelInfo(label) for label in labels], items


FRAMES = {"coco", "labelme", "dicom-seg"}  # these can say which frame is meant
NAMING = {"csv", "coco", "labelme", "voc"}  # these name images with their extension
SCORED = {"coco", "labelme", "voc", "yolo"}
LISTS = {"csv", "coco", "labelme", "voc", "yolo", "png-masks"}  # these can say that there is nothing to label
CASES = [(one.key, kind) for one in FORMATS for kind in one.writes]


def said_in(items):
    """Return what is said of each image; what a format may split or join again (parts of a mask) is one."""
    said = {}
    for number, one in items:
        what = one.value if one.bbox is None and one.mask is None else one.bbox if one.mask is None else one.mask.counts
        said.setdefault(number, []).append((one.label, one.frame, one.score, str(what)))
    return {number: sorted(each, key=str) for number, each in said.items()}


@pytest.mark.parametrize(("key", "kind"), CASES)
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_what_is_written_is_read_again(key, kind, data):
    labels, items = data.draw(worlds(key, kind))
    files = [MemoryFile(one.name, b"".join(one.content)) for one in write(key, Output(kind, labels), items)]
    result = sort([])
    read_sets = (
        [LabelSet(key, kind, [file], "") for file in files]
        if key == "dicom-seg"
        else ([LabelSet(key, kind, files, "")])
    )
    for label_set in read_sets:
        if key == "dicom-seg" and label_set.files[0].path.endswith(".txt"):
            continue
        more = sort(read(label_set, IMAGES))
        result.found += more.found
        result.listed += more.listed
        result.problems += more.problems
    assert result.problems == []
    expected = said_in((item.image.id, one) for item in items for one in item.annotations)
    assert (
        said_in((one.image, one._replace(bbox=None) if kind == SEGMENTATION else one) for one in result.found)
        == expected
    )
    if key in LISTS:
        negatives = {item.image.id for item in items if not item.annotations}
        assert {one.image for one in result.listed} >= negatives - (set() if kind != SINGLE_LABEL else negatives)


def samples():
    """A sound file of every format that is written."""
    labels = [LabelInfo("x"), LabelInfo("y")]
    made = []
    for key, kind in CASES:
        one = {
            SINGLE_LABEL: OutAnnotation("x", 1),
            MULTI_LABEL: OutAnnotation("x", 0),
            DETECTION: OutAnnotation("y", bbox=(1.5, 2, 3, 4), score=0.5 if key in SCORED else None),
            SEGMENTATION: OutAnnotation("y", mask=pixels_of((2, 3, 5, 4))),
        }[kind]
        items = [ItemOut(ref, [one]) for ref in (DICOM if key == "dicom-seg" else PLAIN)]
        made.append([MemoryFile(one.name, b"".join(one.content)) for one in write(key, Output(kind, labels), items)])
    return made


SAMPLES = samples()
PIECES = st.binary(max_size=6) | st.sampled_from(
    [b"nan", b"-1", b"1e999", b"9" * 400, b"\x00", b'"', b"[", b"}", b"\n"]
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), PIECES), min_size=1, max_size=3),
    which=st.integers(0, 20),
    name=st.none() | st.text(string.ascii_letters + "./", max_size=6),
)
def test_no_file_raises_however_damaged(files, changes, which, name):
    files = list(files)
    damaged = files[which % len(files)]
    content = damaged.content
    for place, cut, piece in changes:
        at = int(place * len(content))
        content = content[:at] + piece + content[at + cut :]
    files[which % len(files)] = MemoryFile(name or damaged.path, content)
    for label_set in detect(files, IMAGES):
        for problem in sort(read(label_set, IMAGES)).problems:
            assert problem.message.endswith((".", "…"))
            assert problem.code
