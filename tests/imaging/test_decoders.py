"""Stored values against pydicom's decoders, and what happens where layouts are unusual."""

import io
import warnings
import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from datasets.imaging import ImagingError, Limits, Rejected
from datasets.imaging.decoders import dicom as decoder
from datasets.imaging.decoders.dicom import NoDecoder
from datasets.imaging.dicom import syntaxes
from datasets.imaging.dicom.image import DicomImage
from datasets.imaging.examine import examine, render

from . import samples

NO_ORACLE = ("JPEG-lossy", "JPGExtended", "RG2_JPLY", "badVR", "liver_rle", "liver_nonbyte_aligned_rle", "nometa")
DECODED = [
    sample
    for sample in samples.all_samples()
    if sample.path.startswith("dicom/")
    and sample.outcomes & {"accepted", "skipped"}
    and (sample.renderings or "decodes" in sample.expected or sample.outcomes == {"accepted"})
    and not any(name in sample.path for name in NO_ORACLE)
]


def opened(data: bytes) -> DicomImage:
    return DicomImage.open(memoryview(data), Limits(min_side=1), annotations=True)


@pytest.mark.parametrize("sample", DECODED, ids=str)
def test_stored_values_are_those_of_pydicom(sample):
    data = sample.data
    image = opened(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(data), force=True)
        if image.pixels.transfer_syntax == syntaxes.DEFLATED_FRAMES:
            pytest.skip("pydicom does not decode deflated frames")
        oracle = get_decoder(dataset.file_meta.TransferSyntaxUID)
        for index in {0, image.pixels.frames - 1}:
            array, photometric = image.decode(index)
            expected, meta = oracle.as_array(dataset, index=index, raw=photometric != "RGB")
            assert array.shape == expected.shape
            if image.pixels.transfer_syntax == syntaxes.JPEG_BASELINE:
                if meta["photometric_interpretation"] == "RGB" == dataset.PhotometricInterpretation:
                    continue  # pydicom does not look at the markers; the references of test_samples do
                assert samples.difference(array, expected) <= 1.0
            else:
                assert (array == expected).all()


@pytest.mark.parametrize("path", ["pydicom/JPGExtended.dcm", "pydicom/JPEG-lossy.dcm"])
def test_twelve_bit_jpeg_has_the_grey_values_of_dcmtk(path):
    found = samples.pixels(render(samples.local(f"dicom/{path}")).png)
    expected = samples.pixels(samples.LOCAL / "dicom/pydicom/JPEG-lossy.dcm.expected.f1.png")
    assert np.abs(found.astype(int) - expected).max() <= 2


def dicom(array: np.ndarray, photometric: str = "MONOCHROME2", **attributes) -> bytes:
    """Return a DICOM file of stored values; attributes replace what follows from the array."""
    dataset = pydicom.dcmread(io.BytesIO(samples.local("dicom/pydicom/CT_small.dcm")))
    for keyword in ("RescaleSlope", "RescaleIntercept", "PixelPaddingValue"):
        delattr(dataset, keyword)
    bits = array.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = array.shape[:2]
    dataset.SamplesPerPixel = array.shape[2] if array.ndim == 3 else 1
    if array.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    dataset.PixelData = array.tobytes()
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def ramp(dtype: str, shape: tuple[int, ...] = (32, 48)) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 4096).astype(dtype).reshape(shape)


def test_bits_above_the_stored_ones_are_no_part_of_the_value():
    array = ramp("uint16")
    overlay = array | 0xF000
    image = opened(dicom(overlay, BitsStored=12, HighBit=11))
    assert (image.decode(0)[0] == array).all()


def test_a_high_bit_above_the_stored_bits_shifts_the_value():
    array = ramp("uint16")
    image = opened(dicom(array << 4, BitsStored=12, HighBit=15))
    assert (image.decode(0)[0] == array).all()


def test_signed_values_of_fewer_bits_keep_their_sign():
    array = ramp("int16") - 2048
    image = opened(dicom(array & 0x0FFF, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert (image.decode(0)[0] == array).all()


def test_thirty_two_bit_grey_is_shown_from_minimum_to_maximum():
    array = ramp("uint32") * 1_000_000
    shown = samples.pixels(render(dicom(array)).png)
    assert shown.min() == 0
    assert shown.max() == 255


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_is_read_in_both_planar_configurations(planar):
    array = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    stored = array if planar == 0 else np.ascontiguousarray(array.transpose(2, 0, 1)).reshape(array.shape)
    assert (samples.pixels(render(dicom(stored, "RGB", PlanarConfiguration=planar)).png) == array).all()


def test_eight_bit_big_endian_words_are_swapped_back():
    array = ramp("uint8", (17, 33))
    data = dicom(array)
    dataset = pydicom.dcmread(io.BytesIO(data))
    swapped = np.frombuffer(array.tobytes() + b"\0", np.uint16).byteswap().tobytes()
    dataset.PixelData, dataset["PixelData"].VR = swapped, "OW"
    out = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    pydicom.dcmwrite(out, dataset, little_endian=False, implicit_vr=False)
    assert (opened(out.getvalue()).decode(0)[0] == array).all()


def test_one_bit_frames_follow_each_other_without_padding():
    bits = np.random.default_rng(1).integers(0, 2, (3, 17, 19), np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little")
    data = dicom(
        packed.reshape(1, -1),
        Rows=17,
        Columns=19,
        NumberOfFrames=3,
        BitsAllocated=1,
        BitsStored=1,
        HighBit=0,
        PixelData=packed.tobytes() + b"\0" * (len(packed) % 2),
    )
    image = opened(data)
    assert all((image.decode(index)[0] == bits[index]).all() for index in range(3))


def test_deflated_frames_are_inflated_up_to_their_size():
    array = ramp("uint16")
    pixels = replace(opened(dicom(array)).pixels, transfer_syntax=syntaxes.DEFLATED_FRAMES)

    def deflated(raw: bytes) -> memoryview:
        return memoryview(zlib.compress(raw, wbits=-15))

    assert (decoder.decode_encapsulated(deflated(array.tobytes()), pixels)[0] == array).all()
    assert (decoder.decode_encapsulated(deflated(array.tobytes() + bytes(10**6)), pixels)[0] == array).all()
    with pytest.raises(Rejected):
        decoder.decode_encapsulated(deflated(array.tobytes()[:-2]), pixels)


@pytest.mark.parametrize(("dtype", "shape"), [("uint16", (33, 47)), ("int16", (32, 48)), ("uint8", (31, 33, 3))])
def test_native_frames_in_items_of_their_own(dtype, shape):
    frames = np.stack([ramp(dtype, shape), ramp(dtype, shape)[::-1]])
    photometric = "RGB" if len(shape) == 3 else "MONOCHROME2"
    dataset = pydicom.dcmread(io.BytesIO(dicom(frames[0], photometric, NumberOfFrames=2, PixelData=frames.tobytes())))
    dataset.file_meta.TransferSyntaxUID = syntaxes.ENCAPSULATED_UNCOMPRESSED

    def stored(raw: list[bytes]) -> bytes:
        dataset.PixelData = encapsulate(raw)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        out = io.BytesIO()
        dataset.save_as(out)
        return out.getvalue()

    image = opened(stored([frame.tobytes() for frame in frames]))
    for index in range(2):
        array, found = image.decode(index)
        assert found == photometric
        assert (array == frames[index]).all()
    with pytest.raises(Rejected) as refused:
        opened(stored([frames[0].tobytes(), frames[1].tobytes()[:-2]])).decode(1)
    assert refused.value.code == "pixel_data_truncated"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Rows": 0}, "header_invalid"),
        ({"Rows": 8}, "image_too_small"),
        ({"Rows": 60000}, "image_too_large"),
        ({"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11}, "bit_depth_unsupported"),
        ({"BitsStored": 20}, "bit_depth_unsupported"),
        ({"SamplesPerPixel": 2}, "photometric_unsupported"),
        ({"PhotometricInterpretation": "HSV"}, "photometric_unsupported"),
        ({"NumberOfFrames": 2}, "pixel_data_truncated"),
        ({"NumberOfFrames": 1_000_000}, "too_many_frames"),
        ({"PixelData": b""}, "pixel_data_missing"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "header_invalid"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.3"}, "dicom_rtstruct"),
    ],
)
def test_a_header_that_makes_no_image_is_refused_by_code(changes, code):
    with pytest.raises(ImagingError) as error:
        examine(dicom(ramp("uint16"), **changes))
    assert error.value.code == code


def test_a_frame_that_is_not_there_is_refused():
    with pytest.raises(Rejected, match="1 frames"):
        render(dicom(ramp("uint16")), frame=2)


def test_a_given_window_replaces_the_files_own():
    data = samples.local("dicom/derived_windows/window_40_400.dcm")
    given, own = render(data, window=(500, 2000)), render(data)
    assert (own.rule, own.window_center, own.window_width) == ("window", 40, 400)
    assert (given.rule, given.window_center, given.window_width) == ("window_given", 500, 2000)
    assert given.png != own.png


def test_what_no_plugin_decodes_is_no_decoder_and_no_crash():
    pixels = replace(opened(dicom(ramp("uint16"))).pixels, transfer_syntax=syntaxes.JPEG_LS_LOSSLESS)
    with pytest.raises(NoDecoder):
        decoder.decode_with_pydicom(memoryview(bytes(64)), pixels)


def test_an_encapsulated_stream_is_decoded_from_several_fragments():
    dataset = pydicom.dcmread(io.BytesIO(samples.local("dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm")))
    whole = samples.pixels(render(samples.local("dicom/pydicom/SC_rgb_jpeg_dcmtk.dcm")).png)
    frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([frame], fragments_per_frame=4)
    out = io.BytesIO()
    dataset.save_as(out)
    assert (samples.pixels(render(out.getvalue()).png) == whole).all()


def test_the_transfer_syntaxes_named_here_are_those_of_the_dictionary():
    known = {syntaxes.EXPLICIT_LITTLE: ExplicitVRLittleEndian, syntaxes.EXPLICIT_BIG: ExplicitVRBigEndian}
    assert all(ours == theirs for ours, theirs in known.items())
    assert all(pydicom.uid.UID(uid).is_transfer_syntax for uid in syntaxes.SUPPORTED - {syntaxes.DEFLATED_FRAMES})


def test_a_decompressed_ycbcr_that_kept_its_422_label_is_read_whole():
    """Somebody decompressed it and left the label: three samples a pixel, not two."""
    frames = np.stack([ramp("uint8", (32, 48, 3)), ramp("uint8", (32, 48, 3))[::-1]])
    data = dicom(frames[0], "YBR_FULL_422", NumberOfFrames=2, PixelData=frames.tobytes())
    image = opened(data)
    assert image.header().photometric_interpretation == "YBR_FULL"
    for index in range(2):
        array, photometric = image.decode(index)
        assert photometric == "YBR_FULL"
        assert (array == frames[index]).all()
    halved = opened(dicom(frames[0], "YBR_FULL_422", PixelData=frames[0].tobytes()[: 32 * 48 * 2]))
    assert halved.header().photometric_interpretation == "YBR_FULL_422"


def test_a_stream_of_fewer_bits_than_the_header_says_is_what_it_is():
    stream = imagecodecs.jpegls_encode(ramp("uint8"))
    data = dicom(ramp("uint16"), BitsStored=12, HighBit=15)
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = syntaxes.JPEG_LS_LOSSLESS
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    out = io.BytesIO()
    dataset.save_as(out)
    array, _ = opened(out.getvalue()).decode(0)
    assert (array == ramp("uint8")).all()


@pytest.mark.parametrize("odd", [b"", b"\x07"])
def test_a_segmented_palette_of_odd_length_is_read_to_its_last_whole_word(odd):
    segments = np.array([0, 256, *range(0, 65536, 256)], "<u2").tobytes() + odd
    dataset = pydicom.dcmread(io.BytesIO(dicom(ramp("uint8"), "PALETTE COLOR")))
    for colour in range(3):
        dataset.add_new((0x0028, 0x1101 + colour), "US", [256, 0, 16])
        dataset.add_new((0x0028, 0x1221 + colour), "OW", segments)
    out = io.BytesIO()
    dataset.save_as(out)
    image = opened(out.getvalue())
    assert (image.show(0).picture[..., 0] == ramp("uint8")).all()


def test_no_text_of_a_header_has_a_nul_in_it():
    """PostgreSQL takes none, in columns and in JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = opened(dicom(ramp("uint8"), PatientOrientation="L\0\\P", RescaleType="HU\0x", Modality="C\0T"))
    header = image.header()
    assert (header.modality, header.attributes["RescaleType"]) == ("CT", "HUx")
    assert header.attributes["PatientOrientation"] == "L\\P"
