"""What the viewer in the browser does with a frame, done with numpy: decode, keep the stored bits, window."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from datasets.imaging import windowing
from datasets.imaging.dicom import syntaxes

Array = NDArray[Any]


def decoded(answer, image: dict[str, Any]) -> Array:
    """Return the stored values, or RGB, of a frame that was delivered."""
    shape = (image["height"], image["width"])
    body = answer.content
    if "X-Samples" in answer.headers:
        layout = json.loads(answer.headers["X-Samples"])
        array = np.frombuffer(body, np.dtype(layout["type"]).newbyteorder("<"))
        return array.reshape(shape if layout["samples_per_pixel"] == 1 else (*shape, 3))
    array = code_stream(body, answer.headers["Content-Type"].partition("transfer-syntax=")[2], image)
    array = array.reshape(shape if image["samples_per_pixel"] == 1 else (*shape, 3))
    return stored_bits(array, image)


def code_stream(body: bytes, syntax: str, image: dict[str, Any]) -> Array:
    """Return what a decoder that knows nothing of DICOM makes of a frame."""
    width = image["bits_allocated"] // 8
    dtype = np.dtype(f"<{'i' if image['signed'] else 'u'}{width}")
    if syntax in (syntaxes.IMPLICIT_LITTLE, syntaxes.EXPLICIT_LITTLE):
        return np.frombuffer(body, dtype)
    if syntax == syntaxes.RLE:
        flat = np.frombuffer(imagecodecs.dicomrle_decode(body, dtype), dtype)
        samples = image["samples_per_pixel"]
        pixels = image["width"] * image["height"]
        return flat[: samples * pixels].reshape(samples, pixels).T
    if syntax in (syntaxes.JPEG_BASELINE, syntaxes.JPEG_EXTENDED):
        with PillowImage.open(io.BytesIO(body)) as picture:
            return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))
    if syntax in syntaxes.JPEG:
        return imagecodecs.jpeg8_decode(body)
    return imagecodecs.jpegls_decode(body) if syntax in syntaxes.JPEG_LS else imagecodecs.jpeg2k_decode(body)


def stored_bits(array: Array, image: dict[str, Any]) -> Array:
    """Keep the low Bits Stored of each sample, sign-extended where signed."""
    kind = np.dtype(f"{'i' if image['signed'] else 'u'}{array.dtype.itemsize}")
    spare = array.dtype.itemsize * 8 - image["bits_stored"]
    array = array.astype(array.dtype.newbyteorder("=")).view(kind)
    return (array << kind.type(spare)) >> kind.type(spare) if spare > 0 else array


def picture(array: Array, image: dict[str, Any], *, frame: int = 1, luts: list[dict[str, Any]] | None = None) -> Array:
    """Return 8-bit grey or RGB by the rule that the scene names."""
    if array.ndim == 3 or image["window"]["rule"] == "stored":
        return array
    rescale = windowing.Rescale(image["rescale"]["slope"], image["rescale"]["intercept"])
    window = image["window"] if "center" in image["window"] else None
    per_frame = image["per_frame"] or {}
    if "rescales" in per_frame:
        rescale = windowing.Rescale(*per_frame["rescales"][frame - 1])
    if "windows" in per_frame:
        window = per_frame["windows"][frame - 1]
    voi: windowing.Voi
    if window is None and image["voi_lut_url"] and luts:
        entries = np.frombuffer(base64.b64decode(luts[0]["entries"]), "<u2").astype(np.float64)
        voi = windowing.LookupTable(luts[0]["first"], entries, luts[0]["bits"])
        assert voi.white == luts[0]["white"]
    elif window is None and image["voi_lut_url"] and image["windows"]:
        first = image["windows"][0]
        voi = windowing.Window(first["center"], first["width"], first["function"])
    elif window is None:
        voi = windowing.min_max(array, rescale)
    else:
        voi = windowing.Window(window["center"], window["width"], window["function"])
    return windowing.to_grey(array, windowing.GreyScale(rescale, voi, image["invert"]))
