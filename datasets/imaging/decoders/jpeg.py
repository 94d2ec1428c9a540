"""8-bit JPEG streams, as files and as DICOM frames: complete or refused, with the colour transform that is meant."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import JpegImagePlugin

from .. import accelerators
from ..codestreams import JPEG_LOSSLESS_FRAME, StreamHeader
from ..errors import Rejected
from .pillow import refusing

_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
_END = b"\xff\xd9"
_PREMATURE = "premature end"  # libjpeg's JWRN_HIT_MARKER and JWRN_JPEG_EOF: it would fill the rest with grey


def is_complete(data: memoryview) -> bool:
    """Tell whether an end marker closes the stream; padding and a few stray bytes may follow it."""
    return bytes(data[-4096:]).rfind(_END) >= 0


def is_transformed(header: StreamHeader, photometric: str) -> bool:
    """Tell whether three samples are YCbCr: by the Adobe marker, without one by the photometric interpretation."""
    if header.adobe_transform is not None:
        return header.adobe_transform == 1
    return photometric != "RGB"


def with_colour_transform(data: memoryview, header: StreamHeader, *, transformed: bool) -> memoryview:
    """Return the stream such that any decoder takes its three samples for YCbCr (transformed) or for RGB.

    Decoders guess from markers and component identifiers; where the guess would be wrong an Adobe marker is put in
    front, and a JFIF marker, which would overrule it, is taken out.
    """
    if header.frame == JPEG_LOSSLESS_FRAME or _guess(header) == transformed:
        return data
    kept = bytearray(b"\xff\xd8")
    kept += _ADOBE + (b"\x01" if transformed else b"\x00")
    offset = 2
    while data[offset] == 0xFF and data[offset + 1] in (0xE0, 0xEE):
        offset += 2 + (data[offset + 2] << 8 | data[offset + 3])
    kept += data[offset:]
    return memoryview(kept)


def decode(data: memoryview, *, grey: bool, at_least: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
    """Return (height, width) grey or (height, width, 3) RGB samples of an 8-bit JPEG.

    With at_least (width, height) the picture may come out smaller, scaled in the DCT domain, but not below that size.
    Raises Rejected (``image_corrupt``) for damaged and for truncated streams.
    """
    if accelerators.simplejpeg is not None:
        try:
            array: NDArray[np.uint8] = accelerators.simplejpeg.decode_jpeg(
                data, colorspace="GRAY" if grey else "RGB", min_height=at_least[1], min_width=at_least[0]
            )
        except ValueError as fault:
            if _PREMATURE in str(fault):
                raise Rejected("image_corrupt", "The JPEG data are truncated.") from fault
            # stray bytes are enough for a refusal there; Pillow lets them pass
        else:
            return array[..., 0] if grey else array
    return _decode_with_pillow(data, grey, at_least)


def _decode_with_pillow(data: memoryview, grey: bool, at_least: tuple[int, int]) -> NDArray[np.uint8]:
    mode = "L" if grey else "RGB"
    with refusing("JPEG"), JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        if at_least != (0, 0):
            image.draft(None, at_least)
        image.load()
        return np.asarray(image if image.mode == mode else image.convert(mode))


def _guess(header: StreamHeader) -> bool:
    """Tell what libjpeg takes three samples for (jdapimin.c, default_decompress_parms): True for YCbCr."""
    if header.jfif:
        return True
    if header.adobe_transform is not None:
        return header.adobe_transform != 0
    return header.component_ids != b"RGB"
