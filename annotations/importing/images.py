"""The images of a dataset, as label files may refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotations.formats.base import Geometry, ImageRef
from annotations.formats.images import Images
from datasets.models import Image

ROWS_AT_A_TIME = 5_000
COLUMNS = ("pk", "path", "width", "height", "frames", "sop_instance_uid", "series__series_instance_uid", "attributes")
UPRIGHT = 1


def images_of(dataset_id: int) -> Images:
    """Return all images of a dataset in display order; nothing of a row is held but what labels refer to."""
    rows = Image.objects.filter(dataset=dataset_id).order_by("study__position", "study", "position", "pk")
    images = Images()
    for pk, path, width, height, frames, instance, series, attributes in rows.values_list(*COLUMNS).iterator(
        chunk_size=ROWS_AT_A_TIME
    ):
        images.add(
            ImageRef(
                id=pk,
                path=path,
                width=width,
                height=height,
                frames=frames,
                orientation=_orientation(attributes),
                sop_instance_uid=instance,
                series_instance_uid=series or "",
                geometry=_geometry(attributes),
            )
        )
    return images


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
