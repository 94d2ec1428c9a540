"""JPEG and PNG files as pictures: EXIF orientation applied, transparency over black, 16 bits by minimum and maximum."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin

from .. import accelerators, thumbnails, windowing
from ..codestreams import StreamHeader, read_jpeg_header
from ..dicom.pixels import check_size
from ..errors import Rejected
from ..limits import Limits
from ..records import Format, ImageHeader
from . import jpeg
from .pillow import refusing
from .png import PngHeader, check_scan_lines, read_png_header

Picture = NDArray[np.uint8]
_HUGE = 1 << 24
"""From this many pixels on a thumbnail is reduced inside Pillow, so that no second copy of the picture is made."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Samples of a file, not yet turned: 8-bit grey or RGB, or 16-bit of either; alpha (8 bits) where there is some."""

    samples: NDArray[Any]
    alpha: Picture | None = None


class RasterImage:
    """A JPEG or PNG file in memory."""

    def __init__(self, data: memoryview, format_: Format, stream: StreamHeader | PngHeader) -> None:
        self.data = data
        self.format = format_
        self.stream = stream

    @classmethod
    def open(cls, data: memoryview, format_: Format, limits: Limits) -> "RasterImage":
        """Read and check the file's own header (of a PNG also all checksums); decode nothing.

        Raises Rejected: ``image_corrupt``, ``image_too_small``, ``image_too_large``, ``format_unsupported``,
        ``bit_depth_unsupported``.
        """
        stream: StreamHeader | PngHeader = read_jpeg_header(data) if format_ == "JPEG" else read_png_header(data)
        if isinstance(stream, StreamHeader):
            _check_jpeg(stream)
        check_size(stream.width, stream.height, limits)
        if stream.width * stream.height * stream.components * ((stream.precision + 7) // 8) > limits.max_frame_bytes:
            raise Rejected(
                "image_too_large", f"The image of {stream.width} × {stream.height} px is too large to decode."
            )
        return cls(data, format_, stream)

    def header(self) -> ImageHeader:
        """Return the plain header, with sides as displayed."""
        stream = self.stream
        turned = stream.exif_orientation >= 5
        bits = 16 if stream.precision == 16 else 8
        samples, photometric, alpha = _colour(stream)
        return ImageHeader(
            format=self.format,
            width=stream.height if turned else stream.width,
            height=stream.width if turned else stream.height,
            samples_per_pixel=samples,
            bits_allocated=bits,
            bits_stored=bits,
            photometric_interpretation=photometric,
            orientation=stream.exif_orientation,
            attributes={"Alpha": True} if alpha else {},
        )

    def decode(self, at_least: tuple[int, int] = (0, 0)) -> Decoded:
        """Return the samples; with at_least (width, height) as little more than that as is cheap to get.

        Raises Rejected (``image_corrupt``) when the data are damaged or end too early.
        """
        if isinstance(self.stream, StreamHeader):
            if self.stream.components == 4:
                return Decoded(_decode_cmyk(self.data))
            return Decoded(jpeg.decode(self.data, grey=self.stream.components == 1, at_least=at_least))
        return _decode_png(self.data, self.stream, at_least)

    def show(self, window: tuple[float, float] | None = None) -> tuple[Picture, str, windowing.Window | None]:
        """Return the picture as displayed at full size, the rule that chose its grey values, and the window if any."""
        decoded = self.decode()
        samples = decoded.samples
        if samples.dtype == np.uint8 and (window is None or samples.ndim == 3):
            picture, rule, voi = samples, "stored" if samples.ndim == 2 else "colour", None
        else:
            given = window is not None and samples.ndim == 2
            voi = windowing.Window(*window) if given and window else windowing.min_max(samples, windowing.Rescale())
            picture = windowing.to_grey(samples, windowing.GreyScale(windowing.Rescale(), voi))
            rule = "window_given" if given else "min_max"
        return turn(over_black(picture, decoded.alpha), self.stream.exif_orientation), rule, voi

    def show_small(self) -> Picture:
        """Return the picture as displayed, at the size of a thumbnail."""
        target = thumbnails.fit(self.stream.width, self.stream.height)
        decoded = self.decode(target)
        samples = decoded.samples
        if samples.dtype != np.uint8:
            grey = windowing.GreyScale(windowing.Rescale(), windowing.min_max(samples, windowing.Rescale()))
            samples = windowing.to_grey(samples, grey)
        picture = thumbnails.shrink(over_black(samples, decoded.alpha), target)
        return turn(picture, self.stream.exif_orientation)


def turn(picture: Picture, orientation: int) -> Picture:
    """Return the picture as displayed under an EXIF orientation of 1 to 8."""
    if orientation in (2, 3):
        picture = picture[:, ::-1]
    if orientation in (3, 4):
        picture = picture[::-1]
    if orientation >= 5:
        picture = picture.swapaxes(0, 1)
        if orientation in (6, 7):
            picture = picture[:, ::-1]
        if orientation in (7, 8):
            picture = picture[::-1]
    return np.ascontiguousarray(picture)


def _check_jpeg(stream: StreamHeader) -> None:
    if stream.frame not in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA):
        raise Rejected("format_unsupported", "This kind of JPEG (lossless or hierarchical) is not supported.")
    if stream.precision != 8:
        raise Rejected("bit_depth_unsupported", f"JPEG files of {stream.precision} bits per sample are not supported.")
    if stream.components not in (1, 3, 4):
        raise Rejected("photometric_unsupported", f"JPEG files of {stream.components} components are not supported.")


def _colour(stream: StreamHeader | PngHeader) -> tuple[int, str, bool]:
    """Return samples per pixel without alpha, the DICOM name of the colour space, and whether there is alpha."""
    if isinstance(stream, StreamHeader):
        return stream.components, {1: "MONOCHROME2", 3: "RGB", 4: "CMYK"}[stream.components], False
    if stream.palette:
        return 1, "PALETTE COLOR", stream.alpha
    return (1, "MONOCHROME2", stream.alpha) if stream.grey else (3, "RGB", stream.alpha)


def _decode_cmyk(data: memoryview) -> Picture:
    """Return RGB of a four-component JPEG; Pillow knows that Adobe stores CMYK inverted."""
    with refusing("JPEG"), JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _decode_png(data: memoryview, header: PngHeader, at_least: tuple[int, int]) -> Decoded:
    """Decode a PNG, of an animated one the default image; a colour key of 16-bit grey is not applied, values stay."""
    if accelerators.imagecodecs is not None and header.precision >= 8 and not header.palette:
        deep_colour = header.precision == 16 and (not header.grey or header.alpha)  # Pillow would cut it to 8 bits
        if deep_colour or not header.interlaced:  # libpng reads interlaced files too, but complains on stderr
            return _decode_with_libpng(data, header)
    check_scan_lines(data, header)
    with refusing("PNG"), PngImagePlugin.PngImageFile(BytesIO(data)) as image:
        image.load()
        if image.mode.startswith("I"):
            return Decoded(np.asarray(image).astype(np.uint16, copy=False))
        return _split(image, header, at_least)


def _split(image: Image.Image, header: PngHeader, at_least: tuple[int, int]) -> Decoded:
    """Return the samples of an 8-bit picture, reduced inside Pillow when it is huge."""
    if header.alpha:
        picture = image.convert("RGBA")
    elif header.palette:
        picture = image.convert("RGB")
    else:
        picture = image.convert("L") if image.mode == "1" else image
    if at_least != (0, 0) and picture.width * picture.height >= _HUGE:
        factor = min(picture.width // (2 * at_least[0]), picture.height // (2 * at_least[1]))
        if factor > 1:
            picture = picture.reduce(factor)
    samples = np.asarray(picture)
    if not header.alpha:
        return Decoded(samples)
    grey = header.grey and not header.palette
    return Decoded(samples[..., 0] if grey else samples[..., :3], samples[..., 3])


def _decode_with_libpng(data: memoryview, header: PngHeader) -> Decoded:
    """Decode grey, RGB and either with alpha at their own depth of 8 or 16 bits."""
    try:
        array = accelerators.imagecodecs.png_decode(data)
    except (RuntimeError, ValueError) as fault:
        raise Rejected("image_corrupt", "The PNG data are truncated or corrupt.") from fault
    channels = 1 if header.grey else 3
    array = array.reshape(header.height, header.width, -1)
    if array.shape[2] not in (channels, channels + 1):
        raise Rejected("image_corrupt", "The PNG does not decode to what its header says.")
    samples = array[..., 0] if header.grey else array[..., :3]
    if not header.alpha or array.shape[2] == channels:  # an invalid transparency chunk is none
        return Decoded(np.ascontiguousarray(samples))
    alpha = array[..., channels]
    return Decoded(samples, alpha if alpha.dtype == np.uint8 else (alpha >> 8).astype(np.uint8))


def over_black(picture: Picture, alpha: Picture | None) -> Picture:
    """Compose over black, the ground pictures are shown on in the viewer."""
    if alpha is None:
        return picture
    weight = alpha if picture.ndim == 2 else alpha[..., None]
    return ((picture.astype(np.uint16) * weight + 127) // 255).astype(np.uint8)
