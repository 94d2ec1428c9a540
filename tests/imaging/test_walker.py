"""The header walker against pydicom: on every sample, on data sets made up by hypothesis, and on hostile ones."""

import io
import struct
import warnings

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from datasets.imaging import ImagingError, Limits, sniff
from datasets.imaging.dicom import lenient, tags
from datasets.imaging.dicom.elements import Elements
from datasets.imaging.dicom.file import open_dicom
from datasets.imaging.dicom.header import build_header
from datasets.imaging.dicom.kinds import refuse_non_image
from datasets.imaging.dicom.pixels import describe_pixels
from datasets.imaging.dicom.walker import Unusual, Walked, walk
from datasets.imaging.examine import examine

from . import samples

DICOM = [sample for sample in samples.all_samples() if sample.path.startswith(("dicom/", "bad/dicom/"))]
SEQUENCES = {tag for tag, vr in tags.VR.items() if vr == "SQ"}
PLAIN = sorted(set(tags.VR) - SEQUENCES - tags.PIXEL_TAGS - {tags.TRANSFER_SYNTAX_UID})


def both_readers(data: bytes) -> tuple[Elements, Elements]:
    file = open_dicom(memoryview(data), Limits())
    parsed, _ = lenient.parse(
        file.buffer, file.dataset_offset, explicit=file.explicit, little_endian=file.little_endian
    )
    parsed.adopt_defaults()
    return file.elements, parsed


def assert_same(walked: Elements, parsed: Elements) -> None:
    for tag in PLAIN:
        assert (tag in walked) == (tag in parsed), f"{tag:08X}"
        assert walked.text(tag) == parsed.text(tag), f"{tag:08X}"
        assert walked.numbers(tag) == parsed.numbers(tag), f"{tag:08X}"
    for tag in SEQUENCES:
        ours, theirs = list(walked.items(tag)), list(parsed.items(tag))
        assert len(ours) == len(theirs), f"{tag:08X}"
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("sample", DICOM, ids=str)
def test_both_readers_find_the_same_elements(sample):
    data = sample.data
    if sniff(data) != "DICOM":
        pytest.skip("not DICOM")
    try:
        walked, parsed = both_readers(data)
    except ImagingError:
        assert sample.outcomes != {"accepted"}
        return
    assert_same(walked, parsed)


@pytest.mark.parametrize("sample", [sample for sample in DICOM if sample.outcomes == {"accepted"}], ids=str)
def test_the_header_says_what_pydicom_reads(sample):
    data = sample.data
    file = open_dicom(memoryview(data), Limits(min_side=1))
    header = build_header(file, describe_pixels(file, refuse_non_image(file, annotations=False), Limits(min_side=1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        assert (header.height, header.width) == (dataset.Rows, dataset.Columns)
        assert header.frames == int(dataset.get("NumberOfFrames") or 1)
        assert header.bits_allocated == dataset.BitsAllocated
        assert header.bits_stored == dataset.get("BitsStored", dataset.BitsAllocated)
        assert header.photometric_interpretation == dataset.PhotometricInterpretation
        assert header.sop_instance_uid == str(dataset.get("SOPInstanceUID", ""))
        assert header.study_instance_uid == str(dataset.get("StudyInstanceUID") or "")
        assert header.modality == str(dataset.get("Modality") or "")
        assert header.instance_number == (
            None if dataset.get("InstanceNumber") is None else int(dataset.InstanceNumber)
        )
        assert header.study_description == str(dataset.get("StudyDescription") or "").strip()
        assert "PatientName" not in header.attributes
        position, orientation = dataset.get("ImagePositionPatient"), dataset.get("ImageOrientationPatient")
        if position and orientation:
            normal = np.cross([float(v) for v in orientation[:3]], [float(v) for v in orientation[3:]])
            assert header.slice_position == pytest.approx(float(np.dot(normal, [float(v) for v in position])), abs=1e-6)


def test_every_tag_has_the_representation_of_the_dictionary():
    for tag, vr in tags.VR.items():
        known = pydicom.datadict.dictionary_VR(tag).split(" or ")
        assert (set(known) == {"US", "SS"}) if vr == "xs" else (vr in known), f"{tag:08X}"


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\\"), max_size=20)
numbers = st.decimals(-9999, 9999, places=2).map(lambda value: f"{value:f}")


@st.composite
def datasets(draw, depth=2):
    dataset = Dataset()
    for keyword, values in {
        "StudyDescription": texts,
        "SeriesDescription": texts,
        "WindowCenter": st.lists(numbers, max_size=3),
        "Rows": st.integers(0, 65535),
        "FrameTime": numbers,
        "BurnedInAnnotation": st.sampled_from(["YES", "NO"]),
    }.items():
        if draw(st.booleans()):
            setattr(dataset, keyword, draw(values))
    if draw(st.booleans()):
        dataset.add_new(0x00091010, "UN", draw(st.binary(max_size=30)))
    if depth:
        for keyword in ("VOILUTSequence", "SharedFunctionalGroupsSequence", "ReferencedImageSequence"):
            if draw(st.booleans()):
                items = draw(st.lists(datasets(depth=depth - 1), max_size=3))
                setattr(dataset, keyword, Sequence(items))
                dataset[keyword].is_undefined_length = draw(st.booleans())
                for item in dataset[keyword].value:
                    item.is_undefined_length_sequence_item = draw(st.booleans())
    return dataset


@settings(deadline=None)
@given(datasets(), st.sampled_from([(True, True), (True, False), (False, True)]))
def test_any_well_formed_data_set_is_walked_as_pydicom_reads_it(dataset, encoding):
    explicit, little_endian = encoding
    stream = pydicom.filebase.DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = not explicit, little_endian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_dataset(stream, dataset)
    data = memoryview(stream.getvalue())
    walked, pixels = walk(data, 0, explicit=explicit, little_endian=little_endian)
    parsed, _ = lenient.parse(data, 0, explicit=explicit, little_endian=little_endian)
    assert pixels is None
    assert isinstance(walked, Walked)
    assert_same(walked, parsed)


def nested(depth: int, *, closed: bool = True) -> bytes:
    opening = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return opening * depth + closing * (depth if closed else depth - 1)


def test_ten_thousand_nested_sequences_are_walked_without_recursion():
    walked, pixels = walk(memoryview(nested(10_000)), 0, explicit=True, little_endian=True)
    assert walked.tags() == [0x0040A730]
    assert pixels is None


def test_a_sequence_that_is_never_closed_is_truncated():
    with pytest.raises(Unusual) as unusual:
        walk(memoryview(nested(3, closed=False)), 0, explicit=True, little_endian=True)
    assert unusual.value.truncated


@pytest.mark.parametrize("charset", [["ISO_IR 192"], ["\0nonsense"], ["", "ISO 2022 IR 149"], ["ISO_IR 100"]])
def test_any_character_set_gives_text_and_no_failure(charset):
    dataset = pydicom.dcmread(io.BytesIO(samples.local("dicom/pydicom/CT_small.dcm")))
    data = bytearray(samples.local("dicom/pydicom/CT_small.dcm"))
    at = data.find(b"ISO_IR 100")
    value = "\\".join(charset).encode()[:10].ljust(10)
    data[at : at + 10] = value
    at = data.find(str(dataset.StudyDescription).encode())
    data[at : at + 4] = b"\xc3\xa9\xff\xfe"
    header = examine(bytes(data)).header
    assert isinstance(header.study_description, str)
    assert header.study_description
