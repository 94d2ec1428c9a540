"""Damaged and hostile bytes: refused by code, or read; never another exception, never much time or memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.imaging import ImagingError, sniff
from datasets.imaging.examine import dicom_json, examine, render

from . import samples

SEEDS = {
    sample.path: sample.data
    for sample in samples.load(samples.LOCAL)
    if 0 < (samples.LOCAL / sample.path).stat().st_size < 20_000
}

positions = st.integers(0, 2500)


@st.composite
def damaged(draw) -> bytes:
    """A sample with bytes changed, removed, doubled or cut off, mostly in its header."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(positions) % len(data)
        match draw(st.sampled_from(["change", "change", "remove", "double", "cut"])):
            case "change":
                data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0x20, 0x41]))
            case "remove":
                del data[at : at + draw(st.integers(1, 8))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 8))]
            case "cut":
                del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_damage_is_refused_by_code_and_never_raises_anything_else(data):
    for ask in (examine, render, dicom_json):
        try:
            ask(data)
        except ImagingError as error:
            assert error.code.isidentifier()
            assert error.message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", bytes(128) + b"DICM"]))
def test_noise_behind_any_signature_is_refused_by_code(noise, signature):
    data = signature + noise
    sniff(data)
    with pytest.raises(ImagingError):
        examine(data)


@pytest.mark.parametrize("path", ["dicom/pydicom/CT_small.dcm", "dicom/dcmqi/23x38x3/multiframe/mf.dcm"])
def test_a_header_as_dicom_json_holds_no_pixels_and_no_bulk(path):
    document = dicom_json(samples.local(path))
    assert document["00280010"] == {"vr": "US", "Value": [128 if "CT" in path else 38]}
    assert "7FE00010" not in document
    assert not any(tag.startswith("0002") for tag in document)


def test_a_deeply_nested_header_as_dicom_json_is_refused_or_given():
    data = samples.local("bad/dicom/sequence_depth_600.dcm")
    assert examine(data).thumbnail
    try:
        assert "00280010" in dicom_json(data)
    except ImagingError as error:
        assert error.code == "header_invalid"
