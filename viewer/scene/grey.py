"""Which window or table the server would choose for an image, told from its row (product decision P8).

The rules are those of ``datasets.imaging``: the viewer applies them to the pixels it has, and ends at the same picture.
"""

from __future__ import annotations

from typing import Any

from datasets.imaging.delivery import GREY
from datasets.models import Image
from datasets.models.image import ImageFormat

HOUNSFIELD = "HU"
UNSPECIFIED = "US"  # Rescale Type (0028,1054): "unspecified", not ultrasound


def window_of(image: Image) -> dict[str, Any]:
    """Return the rule that chooses the grey values of frame 1, with the window where the file has one.

    Where the file has a VOI LUT of its own the rule is ``voi_lut``; whether the table is usable only its bytes tell.
    """
    known, photometric = image.attributes, image.photometric_interpretation
    if image.format != ImageFormat.DICOM:
        return {"rule": _raster_rule(image)}
    if photometric not in GREY:
        return {"rule": "palette" if photometric == "PALETTE COLOR" else "colour"}
    windows = known.get("Windows") or []
    if windows and known.get("FrameWindows"):
        return {"rule": "window_frame", **_plain(windows[0])}
    if known.get("HasVOILUT"):
        return {"rule": "voi_lut"}
    return {"rule": "window", **_plain(windows[0])} if windows else {"rule": "min_max"}


def rescale_of(image: Image) -> dict[str, Any]:
    """Return slope, intercept and units that turn delivered values into modality values.

    Values of an image with a modality LUT sequence are delivered as modality values already.
    """
    known = image.attributes
    units = known.get("RescaleType", "")
    if known.get("HasModalityLUT"):
        return {"slope": 1.0, "intercept": 0.0, "units": "" if units == UNSPECIFIED else units}
    slope, intercept = known.get("RescaleSlope"), known.get("RescaleIntercept")
    if not units and known.get("Modality") == "CT" and intercept is not None:
        units = HOUNSFIELD  # required of original CT images (PS3.3 C.8.2.1.1.2)
    return {
        "slope": 1.0 if slope is None else slope,
        "intercept": intercept or 0.0,
        "units": "" if units == UNSPECIFIED else units,
    }


def per_frame_of(image: Image) -> dict[str, list[Any]] | None:
    """Return by frame what differs between the frames of an enhanced multi-frame object; None where nothing does."""
    columns = image.attributes.get("PerFrame")
    if not columns:
        return None
    lists: dict[str, list[Any]] = {}
    if "WindowCenter" in columns or "WindowWidth" in columns or "WindowFunction" in columns:
        lists["windows"] = _frame_windows(image, columns)
    if ("RescaleSlope" in columns or "RescaleIntercept" in columns) and not image.attributes.get("HasModalityLUT"):
        shared = rescale_of(image)
        slopes = columns.get("RescaleSlope") or [shared["slope"]] * image.frames
        intercepts = columns.get("RescaleIntercept") or [shared["intercept"]] * image.frames
        lists["rescales"] = [
            [1.0 if slope is None else slope, intercept or 0.0]
            for slope, intercept in zip(slopes, intercepts, strict=False)
        ]
    for name, keyword in (
        ("positions", "ImagePositionPatient"),
        ("orientations", "ImageOrientationPatient"),
        ("spacings", "PixelSpacing"),
    ):
        if keyword in columns:
            lists[name] = columns[keyword]
    return lists or None


def _frame_windows(image: Image, columns: dict[str, list[Any]]) -> list[dict[str, Any] | None]:
    """Return each frame's window, None where it has none of its own and the object has none for it."""
    first = (image.attributes.get("Windows") or [{}])[0]

    def column(keyword: str, name: str) -> list[Any]:
        return columns.get(keyword) or [first.get(name)] * image.frames

    return [
        None if center is None or width is None else {"center": center, "width": width, "function": function}
        for center, width, function in zip(
            column("WindowCenter", "center"),
            column("WindowWidth", "width"),
            column("WindowFunction", "function"),
            strict=False,
        )
    ]


def _raster_rule(image: Image) -> str:
    if image.photometric_interpretation != "MONOCHROME2" or image.attributes.get("Alpha"):
        return "colour"
    return "min_max" if image.bits_stored > 8 else "stored"


def _plain(window: dict[str, Any]) -> dict[str, Any]:
    return {"center": window["center"], "width": window["width"], "function": window["function"]}
