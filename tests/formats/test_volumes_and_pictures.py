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
from annotations.formats.planes import affine_of

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


def nifti(voxels, refs, path="seg.nii.gz"):
    """Return a volume whose slices lie on ``refs``, as nibabel writes it."""
    nibabel = pytest.importorskip("nibabel")
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine_of(refs[0].geometry)
    affine[:3, 2] = np.subtract(refs[1].geometry.position, refs[0].geometry.position) * [-1, -1, 1]
    return MemoryFile(path, gzip.compress(nibabel.Nifti1Image(voxels, affine).to_bytes(), mtime=0))


def test_not_a_number_is_no_class():
    voxels = np.zeros((20, 17, 4), np.float32)
    voxels[0, 0, 0], voxels[:, :, 1] = 3, np.nan
    result = read_one([nifti(voxels, SERIES)], IMAGES)
    assert [(one.image, one.label, one.mask.area) for one in result.found] == [(1, "3", 1)]
    for wrong in (np.inf, 0.5, -1):
        voxels[5, 5, 3] = wrong
        assert [problem.code for problem in read_one([nifti(voxels, SERIES)], IMAGES).problems] == [
            "label_file_invalid"
        ]


@pytest.mark.parametrize("gap", [[0, 1, 2, 3, 5, 6], [0, 2, 4], [0, 3, 4, 9], [2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
def test_slices_that_are_missing_move_no_others(gap):
    series = [
        SERIES[0]._replace(
            id=place + 1, path=f"{place}.dcm", geometry=Geometry((0, 0, 2.5 * place), (1, 0, 0, 0, 1, 0), (0.5, 0.75))
        )
        for place in range(10)
    ]
    masks = {place: Mask.from_array(np.arange(17 * 20).reshape(17, 20) % 11 == place) for place in gap}
    items = [ItemOut(series[place], [OutAnnotation("x", mask=mask)]) for place, mask in masks.items()]
    files = [
        MemoryFile(one.name, b"".join(one.content))
        for one in write("nifti", Output(SEGMENTATION, [LabelInfo("x")]), items)
    ]
    result = read_one(files, Images(series))
    assert result.problems == []
    assert {one.image - 1: one.mask for one in result.found} == masks
    assert {one.image - 1 for one in result.listed} == set(gap)


def second_patient(space="1.5.2"):
    """Return slices that lie where the first patient's lie."""
    return [
        ref._replace(id=ref.id + 10, path=f"p2/{ref.path}", series_instance_uid="1.8", frame_of_reference_uid=space)
        for ref in SERIES
    ]


def test_a_volume_is_not_laid_on_another_patient():
    first = [ref._replace(path=f"p1/{ref.path}", frame_of_reference_uid="1.5.1") for ref in SERIES]
    voxels = np.ones((20, 17, 4), np.uint8)

    def images_of(path, images):
        result = read_one([nifti(voxels, SERIES, path)], Images(images))
        assert [problem.code for problem in result.problems] == ([] if result.found else ["label_image_ambiguous"])
        return [one.image for one in result.found]

    two = [*first, *second_patient()]
    assert images_of("seg.nii.gz", two) == []
    assert images_of("p2/seg.nii.gz", two) == images_of("labels/p2.nii.gz", two) == [11, 12, 13, 14]
    assert images_of("p1/seg.nii", two) == images_of("labels/p1/seg.nii.gz", two) == [1, 2, 3, 4]
    assert images_of("p1/1.8/seg.nii.gz", two) == [11, 12, 13, 14]
    registered = [*first, *second_patient("1.5.1")]  # two series in the same coordinates are one patient's
    assert images_of("seg.nii.gz", registered) == [1, 2, 3, 4, 11, 12, 13, 14]
    assert images_of("seg.nii.gz", first) == [1, 2, 3, 4]


@pytest.mark.parametrize("path", ["labels/p2.nii.gz", "labels/p2/seg.nii.gz", "p2/ct/seg.nii.gz", "images/p2/seg.nii"])
def test_a_folder_that_only_one_patient_has_decides(path):
    first = [ref._replace(path=f"images/p1/ct/{ref.path}", frame_of_reference_uid="1.5.1") for ref in SERIES]
    second = [ref._replace(path=f"images/p2/ct/{ref.path.removeprefix('p2/')}") for ref in second_patient()]
    result = read_one([nifti(np.ones((20, 17, 4), np.uint8), SERIES, path)], Images([*first, *second]))
    assert [one.image for one in result.found] == [11, 12, 13, 14]


def test_volumes_of_two_patients_at_the_same_place_come_back_each_to_its_own():
    refs = [*(ref._replace(frame_of_reference_uid="1.5.1") for ref in SERIES), *second_patient()]
    masks = {ref.id: Mask.from_array(np.arange(17 * 20).reshape(17, 20) % 17 == ref.id) for ref in refs}
    items = [ItemOut(ref, [OutAnnotation("x", mask=masks[ref.id])]) for ref in refs]
    files = [
        MemoryFile(one.name, b"".join(one.content))
        for one in write("nifti", Output(SEGMENTATION, [LabelInfo("x")]), items)
    ]
    result = read_one(files, Images(refs))
    assert result.problems == []
    assert {one.image: one.mask for one in result.found} == masks
    assert len(result.found) == 8


def test_a_picture_of_one_class_is_called_as_its_number_is_named():
    array = np.zeros((17, 20), np.uint8)
    array[0, 0] = 2
    names = MemoryFile("labels.json", json.dumps({"1": "liver", "2": "spleen", "tumour": "Tumour"}).encode())

    def labels(path):
        return [(one.image, one.label) for one in read_one([names, MemoryFile(path, png(array))], IMAGES).found]

    assert labels("masks/photo.png") == [(9, "spleen")]
    assert labels("masks/tumour/photo.png") == labels("tumour/sub/photo.png") == [(9, "Tumour")]
