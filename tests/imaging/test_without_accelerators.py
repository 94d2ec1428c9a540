"""The same files without anything that makes decoding fast: same outcomes and pictures by Pillow and pydicom."""

import subprocess
import sys
from pathlib import Path

import pytest

from datasets.imaging import ImagingError, Limits, accelerators
from datasets.imaging.dicom.image import DicomImage
from datasets.imaging.examine import examine, open_image, render

from . import samples

NAMES = ("cv2", "imagecodecs", "simplejpeg", "lossless")
LOCAL = [sample for sample in samples.load(samples.LOCAL) if "12000" not in sample.path]
TWELVE_BIT = ("JPEG-lossy", "JPGExtended")
DEEP_COLOUR = ("2c16", "4a16", "6a16")  # Pillow cuts these to 8 bits, which is shown as it is


@pytest.fixture
def plain(monkeypatch):
    for name in NAMES:
        monkeypatch.setattr(accelerators, name, None)


def outcome(data: bytes) -> str:
    try:
        examined = examine(data)
    except ImagingError as error:
        return error.code
    return examined.undrawable or "drawn"


@pytest.mark.parametrize("sample", LOCAL, ids=str)
def test_a_file_has_the_same_outcome_without_accelerators(sample, monkeypatch):
    data = sample.data
    fast = outcome(data)
    for name in NAMES:
        monkeypatch.setattr(accelerators, name, None)
    slow = outcome(data)
    if any(name in sample.path for name in TWELVE_BIT):
        assert (fast, slow) == ("drawn", "decoder_missing")
    elif "bad/" in sample.path and len(sample.outcomes) == 2:
        assert {fast, slow} <= {"drawn", "image_corrupt", "pixel_data_truncated", fast}
    else:
        assert slow == fast


@pytest.mark.parametrize("sample", [sample for sample in LOCAL if sample.renderings], ids=str)
@pytest.mark.usefixtures("plain")
def test_a_rendering_has_the_grey_values_of_the_reference_without_accelerators(sample):
    if any(name in sample.path for name in TWELVE_BIT):
        with pytest.raises(ImagingError) as refused:
            render(sample.data)
        assert refused.value.code == "decoder_missing"
        return
    for number, reference in sample.expected_frames()[:1]:
        rendered = samples.pixels(render(sample.data, frame=number).png)
        assert samples.difference(rendered, samples.pixels(reference)) <= (3 if "jpeg" in sample.path.lower() else 1)


@pytest.mark.parametrize(
    "sample", [sample for sample in LOCAL if sample.outcomes == {"accepted"} and "images/" in sample.path], ids=str
)
def test_a_picture_is_the_same_without_accelerators(sample, monkeypatch):
    try:
        fast = render(sample.data)
        small = open_image(sample.data, Limits()).show_small()
    except ImagingError as error:
        assert error.code == "image_too_small"
        return
    for name in NAMES:
        monkeypatch.setattr(accelerators, name, None)
    slow = render(sample.data)
    if any(name in sample.path for name in DEEP_COLOUR):
        assert (slow.width, slow.height) == (fast.width, fast.height)
        return
    assert samples.difference(samples.pixels(fast.png), samples.pixels(slow.png)) <= 1
    image = open_image(sample.data, Limits())
    assert not isinstance(image, DicomImage)
    assert samples.difference(image.show_small(), small) <= 2


def test_the_package_works_where_none_of_them_is_installed():
    program = (
        "import sys\n"
        f"for name in {NAMES!r}: sys.modules[name] = None\n"
        "import ctypes\n"
        "def missing(path): raise OSError(path)\n"
        "ctypes.CDLL = missing\n"
        "from pathlib import Path\n"
        "from datasets.imaging import accelerators\n"
        "from datasets.imaging.examine import examine\n"
        "assert not any(accelerators.available().values())\n"
        "for path in sys.argv[1:]:\n"
        "    assert examine(Path(path).read_bytes()).thumbnail, path\n"
    )
    paths = ("dicom/pydicom/CT_small.dcm", "dicom/pydicom/SC_rgb_jpeg.dcm", "images/modes/hopper.jpg")
    subprocess.run(
        [sys.executable, "-c", program, *(str(samples.LOCAL / path) for path in paths)],
        check=True,
        cwd=Path(__file__).parents[2],
    )
