"""Every sample: accepted, rejected or skipped as its manifest says, and rendered as independent decoders do."""

import io

import pytest
from PIL import Image

from datasets.imaging import ImagingError, Limits, Skipped
from datasets.imaging.dicom.image import DicomImage
from datasets.imaging.examine import examine, middle_frame, open_image, render

from . import samples

SAMPLES = samples.all_samples()
RENDERED = [sample for sample in SAMPLES if sample.renderings and sample.path not in samples.WRONG_REFERENCES]
DRAWN = [sample for sample in SAMPLES if sample.outcomes == {"accepted"} and "12000" not in sample.path]
LOSSY = ("lossy", "jpeg", "JPEG", "near", "J2KI", "ybr")
UNDER_16 = ("cdfn2c08", "cdhn2c08", "cdsn2c08")  # 8 px on a side, which the manifest does not mention


def outcome(data: bytes) -> tuple[str, str]:
    try:
        examined = examine(data)
    except Skipped as skipped:
        return "skipped", skipped.code
    except ImagingError as rejected:
        return "rejected", rejected.code
    return ("accepted", "") if examined.thumbnail else ("undrawable", examined.undrawable or "")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_file_is_accepted_or_refused_as_its_manifest_says(sample):
    found, code = outcome(sample.data)
    if any(name in sample.path for name in UNDER_16):
        assert (found, code) == ("rejected", "image_too_small")
    else:
        assert found in sample.outcomes, f"{found} {code}, but: {sample.expected}"


@pytest.mark.parametrize("sample", RENDERED, ids=str)
def test_a_rendering_has_the_grey_values_of_the_reference(sample):
    limit = 3.0 if any(word in sample.path for word in LOSSY) else 1.0
    for number, reference in sample.expected_frames():
        rendered = render(sample.data, frame=number)
        found, expected = samples.pixels(rendered.png), samples.pixels(reference)
        assert (rendered.height, rendered.width) == found.shape[:2] == expected.shape[:2]
        assert samples.difference(found, expected) <= limit, f"frame {number}, {rendered.rule}"


@pytest.mark.parametrize("sample", DRAWN, ids=str)
def test_a_thumbnail_looks_like_the_rendering_scaled_down(sample):
    try:
        image = open_image(sample.data, Limits())
    except ImagingError as error:
        assert error.code == "image_too_small"
        return
    frames = image.pixels.frames if isinstance(image, DicomImage) else 1
    frame = middle_frame(frames)
    small = image.show_small(frame) if isinstance(image, DicomImage) else image.show_small()
    full = samples.pixels(render(sample.data, frame=frame + 1).png)
    height, width = small.shape[:2]
    assert max(width, height) == min(256, max(full.shape[:2]))
    assert samples.difference(samples.averaged(full, width, height), small) <= 2.5


@pytest.mark.parametrize("sample", DRAWN[::7], ids=str)
def test_a_thumbnail_is_a_jpeg_of_at_most_256_px_with_the_displayed_proportions(sample):
    try:
        examined = examine(sample.data)
    except ImagingError as error:
        assert error.code == "image_too_small"
        return
    with Image.open(io.BytesIO(examined.thumbnail)) as thumbnail:
        assert thumbnail.format == "JPEG"
        scale = max(thumbnail.size) / max(examined.header.width, examined.header.height)
        assert max(thumbnail.size) <= 256
        assert thumbnail.width == pytest.approx(examined.header.width * scale, abs=1)
        assert thumbnail.height == pytest.approx(examined.header.height * scale, abs=1)


def test_a_big_endian_palette_shows_what_the_little_endian_one_shows():
    shown = {
        sample.path.rsplit("/", 1)[1]: samples.pixels(render(sample.data).png)
        for sample in SAMPLES
        if sample.path.startswith("dicom/pydicom-data/OBXXXX1A")
    }
    if len(shown) < 3:
        pytest.skip("the three encodings of this image are only in the larger set of samples")
    first, *others = shown.values()
    assert all((first == other).all() for other in others)
