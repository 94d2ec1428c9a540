"""Sizes in millimetres and places in the patient, told from an image's row."""

from __future__ import annotations

from typing import Any

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def spacing_of(known: dict[str, Any]) -> dict[str, Any] | None:
    """Return the distance of rows and of columns in millimetres, and the attribute that says so.

    Pixel Spacing comes first (PS3.3 10.7); Imager Pixel Spacing holds at the detector and shows things too large.
    """
    for keyword in _SPACINGS:
        values = known.get(keyword)
        if values and len(values) == 2 and min(values) > 0:
            return {"row": values[0], "column": values[1], "source": keyword}
    return None


def aspect_of(known: dict[str, Any], spacing: dict[str, Any] | None) -> float:
    """Return the height of a pixel divided by its width (PS3.3 C.7.6.3.1.7), 1 where nothing is said."""
    if spacing:
        return float(spacing["row"] / spacing["column"])
    ratio = known.get("PixelAspectRatio")
    if ratio and len(ratio) == 2 and min(ratio) > 0:
        return float(ratio[0] / ratio[1])
    return 1.0


def geometry_of(known: dict[str, Any]) -> dict[str, Any] | None:
    """Return Image Position and Orientation (Patient), where the image has both."""
    position, orientation = known.get("ImagePositionPatient"), known.get("ImageOrientationPatient")
    if not position or not orientation or len(position) != 3 or len(orientation) != 6:
        return None
    return {
        "position": position,
        "orientation": orientation,
        "frame_of_reference_uid": known.get("FrameOfReferenceUID", ""),
    }


def frame_time_of(known: dict[str, Any]) -> float | None:
    """Return milliseconds a frame is shown when played, from what the file says of it first; None where it does not."""
    if (time := known.get("FrameTime")) and time > 0:
        return float(time)
    vector = [step for step in (known.get("FrameTimeVector") or [])[1:] if step > 0]
    if vector:
        return float(sum(vector) / len(vector))
    for keyword in ("RecommendedDisplayFrameRate", "CineRate"):
        if (rate := known.get(keyword)) and rate > 0:
            return 1000.0 / float(rate)
    return None
