"""Encapsulated frames: fragments find their frame, and missing ones are noticed without decoding anything."""

import io
import struct

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from datasets.imaging import ImagingError
from datasets.imaging.examine import examine, render

from . import samples

MULTIFRAME = "dicom/pydicom-data/emri_small_jpeg_ls_lossless.dcm"


def rewritten(path: str, change) -> bytes:
    """Return a sample with its data set changed by change(dataset)."""
    dataset = pydicom.dcmread(io.BytesIO(samples.local(path)))
    change(dataset)
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def frames_of(dataset) -> list[bytes]:
    return list(generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1))))


def code(data: bytes) -> str:
    with pytest.raises(ImagingError) as error:
        examine(data)
    assert error.value.message.endswith(".")
    return error.value.code


def shown(data: bytes) -> list[np.ndarray]:
    return [samples.pixels(render(data, frame=number).png) for number in range(1, 11)]


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("table", ["basic", "extended", "none"])
def test_frames_are_found_by_table_and_by_content(fragments, table):
    def change(dataset):
        frames = frames_of(dataset)
        if table == "extended" and fragments == 1:
            dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
                frames
            )
        else:
            dataset.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table == "basic")

    plain = samples.local(MULTIFRAME)
    changed = rewritten(MULTIFRAME, change)
    assert all((one == other).all() for one, other in zip(shown(plain), shown(changed), strict=True))


def test_a_missing_frame_is_refused():
    def change(dataset):
        dataset.PixelData = encapsulate(frames_of(dataset)[:-1], has_bot=False)

    assert code(rewritten(MULTIFRAME, change)) == "pixel_data_truncated"


def test_a_file_cut_in_its_last_fragment_is_refused():
    assert code(samples.local(MULTIFRAME)[:-100]) == "pixel_data_truncated"


def test_a_file_without_its_closing_delimiter_is_refused():
    data = samples.local("dicom/pydicom/MR_small_jpeg_ls_lossless.dcm")
    end = data.rfind(struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    assert code(data[:end]) == "pixel_data_truncated"


def test_encapsulated_data_under_an_uncompressed_syntax_are_refused():
    data = samples.local("dicom/pydicom/MR_small_RLE.dcm").replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0")
    assert code(data) == "header_invalid"


def test_empty_fragments_are_no_pixels():
    def change(dataset):
        dataset.PixelData = encapsulate([b"\0\0"], has_bot=False).replace(
            struct.pack("<HHI", 0xFFFE, 0xE000, 2) + b"\0\0", struct.pack("<HHI", 0xFFFE, 0xE000, 0)
        )

    assert code(rewritten("dicom/pydicom/MR_small_RLE.dcm", change)) == "pixel_data_missing"


TRUNCATED = [
    "dicom/pydicom/MR_small_RLE.dcm",
    "dicom/pydicom/MR_small_jp2klossless.dcm",
    "dicom/pydicom/MR_small_jpeg_ls_lossless.dcm",
    "dicom/pydicom/JPGExtended.dcm",
    "dicom/pydicom-data/JPEG-LL.dcm",
    "dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm",
    "dicom/pydicom/GDCMJ2K_TextGBR.dcm",
]


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("path", TRUNCATED)
def test_a_code_stream_cut_short_is_refused(path, share):
    def change(dataset):
        frame = frames_of(dataset)[0]
        dataset.PixelData = encapsulate([frame[: int(len(frame) * share) // 2 * 2]])

    data = rewritten(path, change)
    assert code(data) in {"image_corrupt", "pixel_data_truncated"}
    with pytest.raises(ImagingError):
        render(data)


@pytest.mark.parametrize("path", ["dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm", "dicom/pydicom/JPEG-lossy.dcm"])
def test_a_stream_of_another_size_than_the_header_says_is_refused(path):
    def change(dataset):
        dataset.Rows += 16

    assert code(rewritten(path, change)) == "image_corrupt"


def test_a_cut_jpeg_with_an_end_marker_put_back_is_refused():
    def change(dataset):
        frame = frames_of(dataset)[0]
        dataset.PixelData = encapsulate([frame[: len(frame) // 4 * 2] + b"\xff\xd9"])

    assert code(rewritten("dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm", change)) == "image_corrupt"
