import io
import tracemalloc

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from annotations.formats import (
    SEGMENTATION,
    Geometry,
    Images,
    ItemOut,
    LabelInfo,
    Mask,
    OutAnnotation,
    Output,
    dicom_files,
    write,
)
from tests.shared import FOLDER

from .kit import MemoryFile, image, read_one, unzip

GEOMETRY = [Geometry((-10.5, 4, 2.5 * place), (1, 0, 0, 0, 1, 0), (0.5, 0.75)) for place in range(3)]
SERIES = [
    image(f"{place}.dcm", 20, 17, place + 1, sop_instance_uid=f"1.2.{place}", series_instance_uid="1.9", geometry=one)
    for place, one in enumerate(GEOMETRY)
]
FLAT = image("us.dcm", 20, 17, 9, frames=4, sop_instance_uid="1.3.1", series_instance_uid="1.8")
IMAGES = Images([*SERIES, FLAT])
PIXELS = arrays.arrays(bool, (17, 20)).map(lambda pixels: pixels | (np.arange(17 * 20) == 100).reshape(17, 20))


LABELS = (LabelInfo("x"), LabelInfo("größer"))


def written(items, labels=LABELS):
    return [
        MemoryFile(one.name, b"".join(one.content)) for one in write("dicom-seg", Output(SEGMENTATION, labels), items)
    ]


def shared(path):
    file = FOLDER / "dicom" / path
    if not file.exists():
        pytest.skip(f"{path} is not here")
    return MemoryFile(path, file.read_bytes())


def test_names_that_no_segment_label_holds_come_back_whole():
    names = ["a" * 64 + "1", "a" * 63 + " 2", "a" * 64, "\\", "b\\c", "b/c", "b\\" * 40]
    mask = Mask.from_array(np.ones((17, 20), bool))
    items = [ItemOut(SERIES[0], [OutAnnotation(name, mask=mask) for name in names])]
    files = written(items, tuple(map(LabelInfo, names)))
    assert sorted({one.label for one in read_one(files, IMAGES).found}) == sorted(names)


def test_the_liver_lies_on_its_three_slices():
    images, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    result = read_one(files, images)
    assert result.problems == []
    assert [one.name for one in result.labels] == ["Liver"]
    assert sorted(one.mask.area for one in result.found) == [35220, 35645, 36233]
    assert {one.image for one in result.found} == {ref.id for ref in images}


def test_overlapping_segments_stay_apart():
    images, files = unzip("zips/dicom_series_seg_overlaps.zip")
    result = read_one(files, images)
    assert result.problems == []
    assert len(result.found) == 7
    masks = {}
    for one in result.found:
        masks.setdefault(one.image, []).append(one.mask.decode())
    assert any((sum(pixels.astype(int) for pixels in several) > 1).any() for several in masks.values())


@pytest.mark.parametrize(
    "name", ["liver", "liver_nonbyte_aligned", "liver_expb", "liver_j2k", "liver_rle", "liver_deflate"]
)
def test_other_encodings_are_read_or_refused_with_a_reason(name):
    images, _ = unzip("zips/dicom_series_seg_ct_liver.zip")
    result = read_one([shared(f"pydicom-data/{name}.dcm")], images)
    if result.problems:
        assert result.found == []
        assert len(result.problems) == 1 or {problem.code for problem in result.problems} == {"label_size_differs"}
    else:
        assert sorted(one.mask.area for one in result.found) == [35220, 35645, 36233]


@pytest.mark.parametrize(
    "name",
    [
        "seg_image_ct_binary",
        "seg_image_ct_binary_overlap",
        "seg_image_ct_binary_fractional",
        "seg_image_ct_true_fractional",
        "seg_image_cr_binary",
    ],
)
def test_segmentations_are_read_as_highdicom_reads_them(name):
    highdicom = pytest.importorskip("highdicom")
    file = shared(f"highdicom/{name}.dcm")
    theirs = highdicom.seg.segread(io.BytesIO(file.content))
    uids = [uids[2] for uids in theirs.get_source_image_uids()]
    refs = Images(
        image(f"{uid}.dcm", theirs.Columns, theirs.Rows, number, sop_instance_uid=uid)
        for number, uid in enumerate(uids, 1)
    )
    result = read_one([file], refs)
    assert result.problems == []
    pixels = theirs.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True, rescale_fractional=True
    )
    expected = [
        (place + 1, segment, Mask.from_array(pixels[place, :, :, number] >= 0.5))
        for place in range(len(uids))
        for number, segment in enumerate(one.SegmentLabel for one in theirs.SegmentSequence)
        if (pixels[place, :, :, number] >= 0.5).any()
    ]
    assert sorted((one.image, one.label, one.mask) for one in result.found) == sorted(expected)


def test_frames_without_a_source_are_placed_by_geometry():
    images, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    dataset = pydicom.dcmread(io.BytesIO(files[0].content))
    for group in dataset.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    content = io.BytesIO()
    dataset.save_as(content)
    before, after = read_one(files, images), read_one([MemoryFile("a.dcm", content.getvalue())], images)
    assert after.problems == []
    assert [(one.image, one.mask) for one in after.found] == [(one.image, one.mask) for one in before.found]


def test_a_frame_that_lies_otherwise_than_its_source_is_refused():
    images, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    dataset = pydicom.dcmread(io.BytesIO(files[0].content))
    shared_groups = dataset.SharedFunctionalGroupsSequence[0]
    turned = [-float(value) for value in shared_groups.PlaneOrientationSequence[0].ImageOrientationPatient[:3]]
    shared_groups.PlaneOrientationSequence[0].ImageOrientationPatient[:3] = turned
    content = io.BytesIO()
    dataset.save_as(content)
    result = read_one([MemoryFile("a.dcm", content.getvalue())], images)
    assert (result.found, {problem.code for problem in result.problems}) == ([], {"label_place_differs"})


def test_a_deflated_segmentation_has_the_masks_of_the_plain_one():
    images, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    plain = pydicom.dcmread(io.BytesIO(files[0].content))
    plain.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = io.BytesIO()
    plain.save_as(content, enforce_file_format=True)
    assert len(content.getvalue()) < len(files[0].content)
    before, after = read_one(files, images), read_one([MemoryFile("a.dcm", content.getvalue())], images)
    assert after.problems == []
    assert [(one.image, one.mask) for one in after.found] == [(one.image, one.mask) for one in before.found]


def test_a_few_bytes_that_inflate_to_very_many_are_refused(monkeypatch):
    """Deflated Explicit VR Little Endian (PS3.5, A.5), not for its size but for what it becomes."""
    monkeypatch.setattr(dicom_files, "MAX_INFLATED", 1024**2)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.66.4", "1.2"
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.66.4", "1.2"
    dataset.PixelData = bytes(200 * 1024**2)
    dataset["PixelData"].VR = "OB"
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    del dataset
    assert len(content.getvalue()) < 1024**2

    tracemalloc.start()
    try:
        result = read_one([MemoryFile("bomb.dcm", content.getvalue())], IMAGES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [problem.code for problem in result.problems] == ["label_file_too_large"]
    assert peak < 20 * 1024**2


def test_a_segmentation_of_other_images_names_none_of_ours():
    _, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    result = read_one(files, IMAGES)
    assert result.found == []
    assert {problem.code for problem in result.problems} == {"label_image_unknown"}
    assert result.rows() == [1, 2, 3]


@pytest.mark.parametrize("cut", [1000, 3000, 60_000])
def test_a_file_cut_short_is_refused(cut):
    images, files = unzip("zips/dicom_series_seg_ct_liver.zip")
    result = read_one([MemoryFile("a.dcm", files[0].content[:cut])], images)
    assert [problem.code for problem in result.problems] == ["label_file_invalid"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(SERIES), st.sampled_from(["x", "größer"]), PIXELS), max_size=6),
    st.lists(st.tuples(st.integers(1, 4), PIXELS), max_size=3),
)
def test_masks_come_back_bit_for_bit(rows, frames):
    items = [
        ItemOut(ref, [OutAnnotation(label, mask=Mask.from_array(pixels)) for one, label, pixels in rows if one is ref])
        for ref in SERIES
    ]
    items.append(ItemOut(FLAT, [OutAnnotation("x", mask=Mask.from_array(pixels), frame=at) for at, pixels in frames]))
    found, problems = [], []
    for file in written(items):
        result = read_one([file], IMAGES)
        found += [(one.image, one.label, one.frame, one.mask) for one in result.found]
        problems += result.problems
    assert problems == []
    expected = [(item.image.id, one.label, one.frame, one.mask) for item in items for one in item.annotations]
    assert sorted(found) == sorted(expected)


def test_highdicom_reads_what_is_written():
    highdicom = pytest.importorskip("highdicom")
    images, files = unzip("zips/dicom_series_seg_overlaps.zip")
    before = read_one(files, images)
    items = [
        ItemOut(ref, [OutAnnotation(one.label, mask=one.mask) for one in before.found if one.image == ref.id])
        for ref in images
    ]
    (file,) = written(items, before.labels)
    theirs = highdicom.seg.segread(io.BytesIO(file.content))
    uids = [ref.sop_instance_uid for ref in images]
    pixels = theirs.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    labels = [one.SegmentLabel for one in theirs.SegmentSequence]
    got = [
        (ref.id, label, Mask.from_array(pixels[place, :, :, number]))
        for place, ref in enumerate(images)
        for number, label in enumerate(labels)
        if pixels[place, :, :, number].any()
    ]
    assert sorted(got) == sorted((one.image, one.label, one.mask) for one in before.found)
    volume = theirs.get_volume()
    assert volume.spatial_shape[1:] == (512, 512)


def test_images_that_are_no_dicom_objects_are_named():
    mask = Mask.from_array(np.ones((17, 20), bool))
    (file,) = written([ItemOut(image("a.png", 20, 17), [OutAnnotation("x", mask=mask)])])
    assert file.path == "not_exported.txt"
    assert b"a.png" in file.content
