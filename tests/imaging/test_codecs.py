"""Our decoders of lossless JPEG and JPEG-LS against the encoders of others, and against streams that lie."""

import io
import os
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import generate_frames

from datasets.imaging import ImagingError, Rejected, accelerators
from datasets.imaging.codecs import read_scan
from datasets.imaging.decoders import dicom as decoder
from datasets.imaging.dicom.image import DicomImage
from datasets.imaging.limits import Limits

from . import samples as files

ROOT = Path(__file__).parents[2]
FUZZ = Path(__file__).with_name("fuzz_codecs.py")
END = b"\xff\xd9"
REAL = (
    "dicom/pydicom-data/JLSL_08_07_0_1F.dcm",
    "dicom/pydicom-data/JLSL_16_15_1_1F.dcm",
    "dicom/pydicom-data/emri_small_jpeg_ls_lossless.dcm",
    "dicom/pydicom-data/JPEG-LL.dcm",
    "dicom/pydicom/MR_small_jpeg_ls_lossless.dcm",
)
NOT_OURS = (
    "dicom/highdicom/sm_image_jpegls_nobot.dcm",  # three components
    "dicom/pydicom/JPEGLSNearLossless_16.dcm",
    "dicom/pydicom/SC_rgb_jpeg_gdcm.dcm",
)
PREDICTORS = range(1, 8)  # ISO/IEC 10918-1 table H.1


def picture(kind: str, rows: int, columns: int, precision: int, seed: int) -> np.ndarray:
    """Return samples that take a decoder to its corners: long codes, runs, contexts that never change or always do."""
    random, most = np.random.default_rng(seed), (1 << precision) - 1
    if kind == "noise":
        values = random.integers(0, most + 1, (rows, columns))
    elif kind == "extremes":
        values = random.choice([0, most], (rows, columns))
    elif kind == "flat":
        values = np.full((rows, columns), random.integers(0, most + 1))
        values[random.random((rows, columns)) < 0.02] = random.integers(0, most + 1)
    elif kind == "steps":
        values = random.integers(0, 4, (rows // 4 + 1, columns // 4 + 1)).repeat(4, 0).repeat(4, 1) * most // 3
        values = values[:rows, :columns]
    else:
        y, x = np.mgrid[:rows, :columns]
        wave = (np.sin(x / 9 + seed) * np.cos(y / 7) + 1) / 2 * most
        values = np.clip(wave + random.normal(0, random.choice([0.3, 2, most / 50]), wave.shape), 0, most)
    return np.ascontiguousarray(values.astype(np.uint8 if precision <= 8 else np.uint16))


KINDS = ("noise", "extremes", "flat", "steps", "waves")
pictures = st.builds(
    picture,
    st.sampled_from(KINDS),
    st.integers(1, 70),
    st.integers(1, 90),
    st.integers(2, 16),
    st.integers(0, 2**32 - 1),
)


def jpeg(samples: np.ndarray, predictor: int, precision: int) -> bytes:
    return imagecodecs.jpeg8_encode(samples, lossless=True, predictor=predictor, bitspersample=precision)


def decode(stream: bytes) -> np.ndarray | None:
    assert accelerators.lossless is not None, "make test compiles it"
    return accelerators.lossless.decode(memoryview(stream))


def precision_of(samples: np.ndarray) -> int:
    return max(2 if samples.dtype == np.uint8 else 9, int(samples.max()).bit_length())


@given(pictures, st.sampled_from(PREDICTORS))
def test_lossless_jpeg_comes_back_as_it_was_encoded(samples, predictor):
    decoded = decode(jpeg(samples, predictor, precision_of(samples)))
    assert decoded is not None
    assert decoded.dtype == samples.dtype
    assert np.array_equal(decoded, samples)


@given(pictures)
def test_jpeg_ls_comes_back_as_it_was_encoded(samples):
    decoded = decode(imagecodecs.jpegls_encode(samples, level=0))
    assert decoded is not None
    assert np.array_equal(decoded, samples)


def test_the_same_of_many_pictures():
    """Wrong statistics show in few pictures: those a thousand of which hypothesis would have to draw."""
    random = np.random.default_rng(20)
    for number in range(6_000):
        kind, precision = KINDS[number % len(KINDS)], int(random.integers(2, 17))
        samples = picture(kind, int(random.integers(1, 40)), int(random.integers(1, 70)), precision, number)
        coded = imagecodecs.jpegls_encode(samples, level=0)
        assert np.array_equal(decode(coded), samples), (number, kind, precision)
        coded = jpeg(samples, number % 7 + 1, precision)
        assert np.array_equal(decode(coded), samples), (number, kind, precision)


def first_frame(path: str) -> bytes:
    return next(generate_frames(pydicom.dcmread(io.BytesIO(files.local(path))).PixelData, number_of_frames=1))


@pytest.mark.parametrize("path", REAL)
def test_real_files_are_taken_and_come_out_as_from_the_libraries(path, monkeypatch):
    assert decode(first_frame(path)) is not None
    data = memoryview(files.local(path))
    ours, photometric = DicomImage.open(data, Limits()).decode(0)
    monkeypatch.setattr(accelerators, "lossless", None)
    theirs, expected = DicomImage.open(data, Limits()).decode(0)
    assert (ours.dtype, photometric) == (theirs.dtype, expected)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("path", NOT_OURS)
def test_other_kinds_are_left_to_the_libraries(path):
    assert decode(first_frame(path)) is None


def segment_at(stream: bytes, marker: int) -> int:
    """Return the offset of the content of the first such segment."""
    return stream.index(bytes((0xFF, marker))) + 4


def changed(stream: bytes, offset: int, value: bytes) -> bytes:
    return stream[:offset] + value + stream[offset + len(value) :]


SMALL = picture("waves", 24, 40, 12, 1)
JPEG, JPEG_LS = jpeg(SMALL, 1, 12), imagecodecs.jpegls_encode(SMALL, level=0)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8\xff",
        JPEG[2:],
        JPEG[:2] + b"\xff\xdd\x00\x04\x00\x08" + JPEG[2:],  # restart intervals
        changed(JPEG, segment_at(JPEG, 0xC3) - 3, b"\xc0"),  # another process
        changed(JPEG, segment_at(JPEG, 0xC3), b"\x11"),  # 17 bits
        changed(JPEG, segment_at(JPEG, 0xC3) + 1, b"\0\0"),  # rows come later (DNL)
        changed(JPEG, segment_at(JPEG, 0xC4) + 1, b"\xff"),  # 255 codes of one bit
        changed(JPEG, segment_at(JPEG, 0xDA) + 1, b"\x07"),  # a component that is not there
        changed(JPEG, segment_at(JPEG, 0xDA) + 2, b"\x10"),  # a table that is not there
        changed(JPEG, segment_at(JPEG, 0xDA) + 3, b"\x00"),  # no prediction: differential
        changed(JPEG, segment_at(JPEG, 0xDA) + 5, b"\x01"),  # point transform
        changed(JPEG_LS, segment_at(JPEG_LS, 0xDA) + 2, b"\x01"),  # mapping table
        changed(JPEG_LS, segment_at(JPEG_LS, 0xDA) + 3, b"\x01"),  # near-lossless
        changed(JPEG_LS, segment_at(JPEG_LS, 0xF8) + 1, b"\x0f\xfe"),  # MAXVAL
        changed(JPEG_LS, segment_at(JPEG_LS, 0xF8) + 3, b"\xff\xff"),  # T1 beyond T2
        changed(JPEG_LS, segment_at(JPEG_LS, 0xF8) + 9, b"\x00\x20"),  # RESET
    ],
)
def test_headers_of_other_kinds_are_left_to_the_libraries(stream):
    assert read_scan(memoryview(stream)) is None
    assert decode(stream) is None


def test_thresholds_are_those_of_the_stream():
    assert read_scan(memoryview(JPEG_LS)).thresholds == (18, 67, 276)  # 14495-1 table C.3 for 12 bits
    place, others = segment_at(JPEG_LS, 0xF8) + 3, b"\x00\x05\x00\x09\x00\x30"
    preset = changed(JPEG_LS, place, others)
    assert read_scan(memoryview(preset)).thresholds == (5, 9, 48)
    assert decode(preset) is None  # other contexts than the encoder's: nothing fits any more
    only_steep = picture("extremes", 24, 40, 12, 1)  # every gradient is beyond all thresholds, or none
    assert np.array_equal(decode(changed(imagecodecs.jpegls_encode(only_steep, level=0), place, others)), only_steep)


@pytest.mark.parametrize("stream", [JPEG, JPEG_LS])
def test_data_behind_the_last_sample_are_left_to_the_libraries(stream):
    assert decode(stream[:-2] + b"\x12\x34\x56" + END) is None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_lossless_jpeg_that_was_cut_is_refused_though_it_has_an_end_marker(share):
    scan = segment_at(JPEG, 0xDA) + 6
    cut = JPEG[: scan + int((len(JPEG) - scan - 2) * share)].rstrip(b"\xff") + END
    with pytest.raises(Rejected) as refused:
        decode(cut)
    assert refused.value.code == "pixel_data_truncated"


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_jpeg_ls_that_was_cut_is_left_to_charls_which_refuses_it(share):
    scan = segment_at(JPEG_LS, 0xDA) + 6
    cut = JPEG_LS[: scan + int((len(JPEG_LS) - scan - 2) * share)].rstrip(b"\xff") + END
    assert decode(cut) is None
    with pytest.raises(RuntimeError):
        imagecodecs.jpegls_decode(cut)


def test_another_marker_in_a_scan_is_left_to_the_libraries():
    scan = segment_at(JPEG, 0xDA) + 6
    middle = scan + (len(JPEG) - scan) // 2
    assert decode(JPEG[:middle].rstrip(b"\xff") + b"\xff\xd0" + JPEG[middle:]) is None


def test_a_code_that_is_not_in_the_table_is_refused():
    scan = segment_at(JPEG, 0xDA) + 6
    ones = b"\xff\x00" * 200  # a code of ones only is none (10918-1 annex C)
    with pytest.raises(Rejected) as refused:
        decode(JPEG[:scan] + ones + END)
    assert refused.value.code == "image_corrupt"


def test_samples_beyond_the_precision_are_left_to_the_libraries():
    """Some write 16-bit differences and say 12 bits."""
    deep = jpeg(picture("noise", 8, 8, 16, 3), 1, 16)
    assert decode(changed(deep, segment_at(deep, 0xC3), b"\x0c")) is None


@given(
    st.sampled_from((JPEG, JPEG_LS)), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_a_damaged_stream_never_comes_out_in_another_shape(stream, damages):
    damaged = bytearray(stream)
    for where, value in damages:
        damaged[int(where * (len(damaged) - 1))] = value
    scan = read_scan(memoryview(damaged))
    if scan is None or scan.rows * scan.columns > 1 << 22:
        return
    try:
        decoded = decode(bytes(damaged))
    except ImagingError as error:
        assert error.code in ("pixel_data_truncated", "image_corrupt")
    else:
        assert decoded is None or decoded.shape == (scan.rows, scan.columns)


def test_hostile_streams_touch_no_memory_but_their_own(tmp_path):
    """Ten thousand damaged streams under AddressSanitizer and UndefinedBehaviorSanitizer."""
    library = tmp_path / "liblossless.so"
    sanitized = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=shift-base")
    build = ROOT / "datasets/imaging/codecs/build.sh"
    subprocess.run([build, *sanitized], check=True, env={**os.environ, "OUTPUT": str(library)})
    runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True).stdout
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, FUZZ, library, "10000"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    taken, refused = map(int, done.stdout.split())
    assert taken > 100
    assert refused > 500


def test_where_they_are_missing_the_libraries_decode(monkeypatch):
    monkeypatch.setattr(accelerators, "lossless", None)
    assert decoder._with_ours(memoryview(JPEG)) is None
