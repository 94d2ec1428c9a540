"""JPEG and PNG files: orientation, depth, transparency, colour spaces, damage."""

import io
import resource
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from datasets.imaging import ImagingError, Limits, accelerators, sniff
from datasets.imaging.decoders import raster
from datasets.imaging.examine import examine, render

from . import samples

RNG = np.random.default_rng(7)


def scene(height: int = 60, width: int = 90) -> np.ndarray:
    """A smooth colour picture without symmetry, which JPEG keeps almost as it is."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack((x * 255 // width, y * 255 // height, (x * y) * 255 // (width * height)), -1).astype(np.uint8)


def saved(array: np.ndarray, format_: str, **options) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, format_, **options)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, raw: bytes, *between: bytes, level: int = 6) -> bytes:
    """Return a PNG with that header and those raw scan lines, every checksum right."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(raw, level))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + body + chunk(b"IEND", b"")


def code(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(ImagingError) as error:
        examine(data, limits)
    return error.value.code


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_exif_orientation_is_applied_to_sides_rendering_and_thumbnail(format_, orientation):
    data = saved(scene(300, 450), format_, exif=exif(orientation), **({"quality": 95} if format_ == "JPEG" else {}))
    with Image.open(io.BytesIO(data)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    examined = examine(data)
    assert (examined.header.height, examined.header.width) == upright.shape[:2]
    assert examined.header.orientation == orientation
    assert samples.difference(samples.pixels(render(data).png), upright) <= 1
    with Image.open(io.BytesIO(examined.thumbnail)) as thumbnail:
        small = np.asarray(thumbnail)
    assert samples.difference(samples.averaged(upright, small.shape[1], small.shape[0]), small) <= 3


def test_sixteen_bit_grey_is_shown_from_minimum_to_maximum():
    values = RNG.integers(1000, 3000, (40, 50)).astype(np.uint16)
    rendered = render(saved(values, "PNG"))
    expected = (values - values.min()) / (values.max() - values.min()) * 255
    assert rendered.rule == "min_max"
    assert np.abs(samples.pixels(rendered.png) - expected).max() <= 0.51
    assert examine(saved(values, "PNG")).header.bits_allocated == 16


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_colour_and_alpha_keep_their_depth(channels):
    values = RNG.integers(0, 4096, (30, 40, channels)).astype(">u2")
    if channels != 3:
        values[..., -1] = 65535
    raw = b"".join(b"\0" + row.tobytes() for row in values)
    data = png(40, 30, 16, {2: 4, 3: 2, 4: 6}[channels], raw)
    samples_ = values[..., : 1 if channels == 2 else 3].astype(float).squeeze()
    expected = (samples_ - samples_.min()) / (samples_.max() - samples_.min()) * 255
    assert np.abs(samples.pixels(render(data).png) - expected).max() <= 1


def test_transparency_is_shown_over_black():
    array = np.full((20, 20, 4), 200, np.uint8)
    array[:, :10, 3] = 0
    array[:, 10:, 3] = 128
    shown = samples.pixels(render(saved(array, "PNG")).png)
    assert (shown[:, :10] == 0).all()
    assert (shown[:, 10:] == 100).all()


def test_adobe_cmyk_is_not_inverted():
    shown = samples.pixels(render(samples.local("images/modes/pil_sample_cmyk.jpg")).png)
    with Image.open(io.BytesIO(samples.local("images/modes/pil_sample_cmyk.jpg"))) as image:
        assert (shown == np.asarray(image.convert("RGB"))).all()


def test_an_animated_png_shows_its_default_image():
    frames = [Image.fromarray(np.full((32, 32, 3), value, np.uint8)) for value in (10, 200)]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    assert (samples.pixels(render(out.getvalue()).png) == 10).all()
    assert examine(out.getvalue()).header.frames == 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_cut_short_is_refused_not_shown_half_grey(share, options):
    data = saved(scene(600, 800), "JPEG", quality=90, **options)
    assert code(data[: int(len(data) * share)]) == "image_corrupt"
    assert code(data[: int(len(data) * share)] + b"\xff\xd9") == "image_corrupt"


def test_stray_bytes_in_a_jpeg_are_passed_over():
    data = saved(scene(), "JPEG")
    at = data.index(b"\xff\xdb")
    assert examine(data[:at] + b"\0\0\0" + data[at:] + b"trailing").header.width == 90


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_png_cut_short_is_refused(share):
    data = saved(RNG.integers(0, 256, (64, 64), np.uint8), "PNG")
    assert code(data[: int(len(data) * share)]) == "image_corrupt"
    assert code(data[:-12]) == "image_corrupt"


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize(("depth", "colour"), [(1, 0), (8, 0), (16, 0), (16, 2), (8, 6), (8, 3)])
def test_a_png_with_too_few_lines_is_refused(depth, colour, accelerated, monkeypatch):
    if not accelerated:
        monkeypatch.setattr(accelerators, "imagecodecs", None)
    line = b"\0" + bytes(32 * {0: 1, 2: 3, 6: 4, 3: 1}[colour] * depth // 8)
    palette = [chunk(b"PLTE", bytes(768))] if colour == 3 else []
    assert examine(png(32, 32, depth, colour, line * 32, *palette)).thumbnail
    assert code(png(32, 32, depth, colour, line * 31, *palette)) == "image_corrupt"


def test_a_damaged_checksum_is_refused():
    data = bytearray(saved(scene(), "PNG"))
    data[-20] ^= 1
    assert code(bytes(data)) == "image_corrupt"


def test_a_png_bomb_is_refused_by_its_header():
    bomb = png(60000, 60000, 8, 6, bytes(10_000), level=9)
    assert code(bomb) == "image_too_large"
    assert code(png(16384, 16384, 16, 6, b"")) == "image_too_large"


@pytest.mark.parametrize("accelerated", [True, False])
def test_a_text_chunk_that_expands_beyond_measure_costs_no_memory(accelerated, monkeypatch):
    if not accelerated:
        monkeypatch.setattr(accelerators, "imagecodecs", None)
    data = png(32, 32, 8, 0, (b"\0" + bytes(32)) * 32, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 27))))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        assert examine(data).header.width == 32
    except ImagingError as error:
        assert error.code == "image_corrupt"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_limits_hold_on_both_sides():
    data = saved(scene(40, 100), "PNG")
    assert code(data, Limits(min_side=41)) == "image_too_small"
    assert code(data, Limits(max_side=99)) == "image_too_large"
    assert code(data, Limits(max_pixels=3999)) == "image_too_large"
    assert code(data, Limits(max_frame_bytes=11_999)) == "image_too_large"
    assert examine(data, Limits(min_side=40, max_side=100, max_pixels=4000, max_frame_bytes=12_000)).thumbnail


def test_a_huge_picture_is_reduced_without_a_second_copy(monkeypatch):
    monkeypatch.setattr(raster, "_HUGE", 1000)
    data = saved(scene(1200, 1800), "PNG")
    image = raster.RasterImage.open(memoryview(data), "PNG", Limits())
    small = image.show_small()
    assert samples.difference(samples.averaged(scene(1200, 1800), 256, 171), small) <= 1


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (b"", None),
        (b"GIF89a" + bytes(200), None),
        (b"<svg onload=alert(1)>" + bytes(200), None),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"MZ" + bytes(126) + b"DICM", "DICOM"),
        (b"\x08\0\x05\0CS\n\0ISO_IR 100", "DICOM"),
        (b"\x08\0\x05\0ZZ\xff\xff" + bytes(20), None),
    ],
)
def test_files_are_told_by_content(data, format_):
    assert sniff(data) == format_
    assert sniff(memoryview(data)) == format_


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_an_invalid_transparency_chunk_is_none(colour, channels, depth):
    line = b"\0" + bytes(range(32)) * (channels * depth // 8)
    plain, odd = (png(32, 32, depth, colour, line * 32, *extra) for extra in ((), (chunk(b"tRNS", bytes(4)),)))
    assert examine(odd).thumbnail == examine(plain).thumbnail
    assert render(odd).png == render(plain).png
