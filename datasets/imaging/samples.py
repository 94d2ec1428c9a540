"""Frames as plain samples, for viewers that window them: decoded here where a browser would decode them wrongly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import windowing
from .decoders.dicom import NoDecoder
from .decoders.raster import RasterImage, over_black, turn
from .dicom import colour
from .dicom.grey import frame_groups, modality_of
from .dicom.image import DicomImage
from .dicom.pixels import GREY, PALETTE
from .dicom.tags import MODALITY_LUT_SEQUENCE
from .errors import Rejected
from .examine import Data, open_frame
from .records import Samples

Array = NDArray[Any]


def samples(data: Data, *, frame: int = 1, head: int = 0) -> Samples:
    """Return one frame (counted from 1) as samples of full depth.

    With ``head``, data hold the first ``head`` bytes of a DICOM file and behind them the bytes of that frame only.
    Raises Rejected when the file or the frame cannot be decoded.
    """
    image = open_frame(memoryview(data), frame, head)
    if isinstance(image, RasterImage):
        if frame != 1:
            raise Rejected("frame_missing", "The image has 1 frame.")
        return _pack(*_raster(image))
    try:
        return _pack(*_dicom(image, frame - 1 - image.first))
    except NoDecoder as missing:
        raise Rejected(missing.code, str(missing)) from missing


def _dicom(image: DicomImage, index: int) -> tuple[Array, str]:
    """Return what a viewer windows: stored values, or modality values where the file has a modality LUT sequence."""
    array, photometric = image.decode(index)
    elements, pixels = image.file.elements, image.pixels
    if photometric == PALETTE:
        return colour.apply_palette(array, colour.palette_of(elements)), "RGB"
    if photometric not in GREY:
        return colour.to_rgb(array, photometric, pixels.bits_stored), "RGB"
    if next(iter(elements.items(MODALITY_LUT_SEQUENCE)), None) is not None:
        modality = modality_of(elements, frame_groups(elements, image.first + index))
        values = windowing.apply_modality(array, modality)
        is_table = isinstance(modality, windowing.LookupTable)
        return values.astype(np.uint16 if is_table else np.float32), photometric
    if pixels.bits_allocated > 16:
        return array.astype(np.float32), photometric
    kind = f"{'i' if pixels.signed else 'u'}{max(1, pixels.bits_allocated // 8)}"
    return array.astype(kind, copy=False), photometric


def _raster(image: RasterImage) -> tuple[Array, str]:
    """Return 8- or 16-bit grey as stored; colour and what has transparency as the picture that is shown, in RGB."""
    decoded = image.decode()
    array, orientation = decoded.samples, image.stream.exif_orientation
    if array.ndim == 2 and decoded.alpha is None:
        return turn(array, orientation), "MONOCHROME2"
    if array.dtype != np.uint8:
        grey = windowing.GreyScale(windowing.Rescale(), windowing.min_max(array, windowing.Rescale()))
        array = windowing.to_grey(array, grey)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    return turn(over_black(array, decoded.alpha), orientation), "RGB"


def _pack(array: Array, photometric: str) -> Samples:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return Samples(
        data=np.ascontiguousarray(little).tobytes(),
        type=array.dtype.name,
        width=array.shape[1],
        height=array.shape[0],
        samples_per_pixel=3 if array.ndim == 3 else 1,
        photometric_interpretation=photometric,
    )
