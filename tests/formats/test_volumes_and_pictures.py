"""NIfTI and PNG masks."""

import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from annotations.formats import SEGMENTATION, Geometry, Images, ItemOut, LabelInfo, Mask, OutAnnotation, Output, write
from annotations.formats.nifti_file import load

from .kit import MemoryFile, image, read_one

TURNED = (0.8, 0.6, 0, -0.6, 0.8, 0)
SERIES = [
    image(
        f"{place}.dcm",
        20,
        17,
        place + 1,
        series_instance_uid="1.9",
        geometry=Geometry((-10.5, 4, 2.5 * place), TURNED, (0.5, 0.75)),
    )
    for place in range(4)
]
FLAT = image("sub/photo.png", 20, 17, 9)
IMAGES = Images([*SERIES, FLAT])
PIXELS = arrays.arrays(bool, (17, 20)).map(lambda pixels: pixels | (np.arange(17 * 20) == 100).reshape(17, 20))
LABELS = [LabelInfo("x"), LabelInfo("größer/kleiner")]
ROWS = st.dictionaries(
    st.tuples(st.sampled_from([*SERIES, FLAT]), st.sampled_from([label.name for label in LABELS])), PIXELS, max_size=5
)


def written(key, rows):
    items = [
        ItemOut(
            ref,
            [OutAnnotation(label, mask=Mask.from_array(pixels)) for (one, label), pixels in rows.items() if one is ref],
        )
        for ref in [*SERIES, FLAT]
    ]
    return [MemoryFile(one.name, b"".join(one.content)) for one in write(key, Output(SEGMENTATION, LABELS), items)]


@settings(deadline=None, max_examples=40)
@pytest.mark.parametrize("key", ["nifti", "png-masks"])
@given(rows=ROWS)
def test_masks_come_back_bit_for_bit(key, rows):
    files = written(key, rows)
    assert len({file.path for file in files}) == len(files)
    if len(files) == 1:
        assert not rows
        return
    result = read_one(files, IMAGES)
    assert result.problems == []
    expected = [(ref.id, label, Mask.from_array(pixels)) for (ref, label), pixels in rows.items()]
    assert sorted((one.image, one.label, one.mask) for one in result.found) == sorted(expected)
    if key == "png-masks":
        assert {one.image for one in result.listed} == {ref.id for ref in IMAGES}


def test_nibabel_reads_what_is_written():
    nibabel = pytest.importorskip("nibabel")
    pixels = np.zeros((17, 20), bool)
    pixels[3, 5] = True
    file = next(one for one in written("nifti", {(SERIES[2], "x"): pixels}) if one.path.endswith(".nii.gz"))
    theirs = nibabel.Nifti1Image.from_bytes(gzip.decompress(file.content))
    assert np.argwhere(np.asarray(theirs.dataobj)).tolist() == [[5, 3, 2]]
    place = np.array(SERIES[2].geometry.position) + 5 * 0.75 * np.array(TURNED[:3]) + 3 * 0.5 * np.array(TURNED[3:])
    assert theirs.affine @ [5, 3, 2, 1] == pytest.approx([-place[0], -place[1], place[2], 1], abs=1e-4)


@settings(deadline=None)
@given(
    voxels=arrays.arrays(st.sampled_from(["u1", "i2", "f4", ">i2", "u2"]), (3, 4, 2), elements=st.integers(0, 100)),
    quaternion=st.tuples(*[st.floats(-0.5, 0.5, width=32)] * 3),
    second=st.booleans(),
    use_sform=st.booleans(),
    slope=st.sampled_from([None, 2]),
)
def test_headers_are_read_as_nibabel_reads_them(voxels, quaternion, second, use_sform, slope):
    nibabel = pytest.importorskip("nibabel")
    b, c, d = quaternion
    rotation = nibabel.quaternions.quat2mat([np.sqrt(1 - b * b - c * c - d * d), b, c, d])
    affine = np.eye(4)
    affine[:3, :3] = rotation * [0.5, 2, -3]
    affine[:3, 3] = [10, -20, 30]
    kind = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    made = kind(voxels, affine)
    made.set_sform(affine if use_sform else None, int(use_sform))
    made.set_qform(affine, 1)
    if slope:
        made.header.set_slope_inter(slope, 0)
    content = made.to_bytes()
    reread = kind.from_bytes(content)
    for packed in (content, gzip.compress(content)):
        volume = load(MemoryFile("a.nii", packed))
        assert np.array_equal(volume.voxels, np.asarray(reread.dataobj))
        assert volume.affine == pytest.approx(reread.affine, abs=1e-4)


@pytest.mark.parametrize(
    "content",
    [b"", b"x" * 400, gzip.compress(b"x" * 400, mtime=0), b"\x1f\x8bdamaged", bytes(10_000)],
    ids=["empty", "letters", "packed letters", "damaged", "zeros"],
)
def test_what_is_no_nifti_is_named(content):
    result = read_one([MemoryFile("a.nii.gz", content)], IMAGES)
    assert [problem.code for problem in result.problems] == ["label_file_invalid"]


def png(array, mode=None):
    stream = io.BytesIO()
    picture = Image.fromarray(array)
    if mode == "P":
        picture.putpalette(bytes(range(256)) * 3)
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("mode", [None, "P"])
def test_pictures_of_class_numbers_are_named_by_a_file(mode):
    array = np.zeros((17, 20), np.uint8)
    array[0, 0], array[1, 1] = 1, 2
    files = [
        MemoryFile("labels.json", json.dumps({"1": "liver"}).encode()),
        MemoryFile("masks/photo.png", png(array, mode)),
    ]
    result = read_one(files, IMAGES)
    assert [(one.image, one.label, one.mask.area) for one in result.found] == [(9, "liver", 1), (9, "2", 1)]


def test_pictures_that_are_no_masks_are_named():
    files = [
        MemoryFile("masks/photo.png", png(np.zeros((5, 5), np.uint8))),
        MemoryFile("masks/2.png", b"none"),
        MemoryFile("masks/none.png", png(np.zeros((17, 20), np.uint8))),
        MemoryFile("masks/3.png", png(np.zeros((17, 20, 3), np.uint8))),
    ]
    assert [problem.code for problem in read_one(files, IMAGES).problems] == [
        "label_size_differs",
        "label_file_invalid",
        "label_image_unknown",
        "label_file_invalid",
    ]
