"""An image as a picture, and its header as DICOM JSON."""

from __future__ import annotations

from typing import Any

from datasets.blobs.store import get_store
from datasets.imaging import Rendered
from datasets.models import Image
from datasets.models.image import ImageFormat
from deepcap.common.errors import DomainError

from .decoding import decoder


class NotDicom(DomainError):
    status = 404
    code = "not_dicom"


def render_image(*, image: Image, frame: int = 1, window: tuple[float, float] | None = None) -> Rendered:
    """Return frame ``frame`` (from 1) as an 8-bit PNG at full size, by the rules of P8 unless a window is given.

    Raises NotDrawable.
    """
    data = get_store().read(image.blob.original_key)
    with decoder() as sandbox:
        return sandbox.render(data, frame=frame, window=window)


def header_of(image: Image) -> dict[str, Any]:
    """Return a DICOM image's header as DICOM JSON (PS3.18, annex F), bulk data left out.

    Raises NotDicom and NotDrawable.
    """
    if image.format != ImageFormat.DICOM:
        raise NotDicom("Only DICOM images have tags.")
    data = get_store().read(image.blob.original_key)
    with decoder() as sandbox:
        return sandbox.dicom_json(data)
