"""Images of a dataset as label files may refer to them: what the formats need to know, from the columns of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotations.formats.base import Geometry, ImageRef

COLUMNS = ("pk", "path", "width", "height", "frames", "sop_instance_uid", "series__series_instance_uid", "attributes")
UPRIGHT = 1


def image_ref(
    pk: int,
    path: str,
    width: int,
    height: int,
    frames: int,
    instance: str,
    series: str | None,
    attributes: Mapping[str, Any],
) -> ImageRef:
    """Return the image whose ``COLUMNS`` these are."""
    return ImageRef(
        id=pk,
        path=path,
        width=width,
        height=height,
        frames=frames,
        orientation=_orientation(attributes),
        sop_instance_uid=instance,
        series_instance_uid=series or "",
        geometry=_geometry(attributes),
        frame_of_reference_uid=str(attributes.get("FrameOfReferenceUID") or ""),
    )


def _orientation(attributes: Mapping[str, Any]) -> int:
    """Return the orientation of EXIF (1 to 8) that was applied to the image's size."""
    value = attributes.get("Orientation")
    return value if isinstance(value, int) and UPRIGHT <= value <= 8 else UPRIGHT


def _geometry(attributes: Mapping[str, Any]) -> Geometry | None:
    position = _numbers(attributes.get("ImagePositionPatient"), 3)
    orientation = _numbers(attributes.get("ImageOrientationPatient"), 6)
    spacing = _numbers(attributes.get("PixelSpacing"), 2)
    if not (position and orientation and spacing):
        return None
    return Geometry(position, orientation, spacing)  # type: ignore[arg-type] - the lengths were just checked


def _numbers(value: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list | tuple) or len(value) != count:
        return None
    return tuple(map(float, value)) if all(isinstance(number, int | float) for number in value) else None
