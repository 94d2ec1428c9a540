"""An image as a picture, and its header."""

from __future__ import annotations

from typing import Any

from datasets.imaging import Rendered
from datasets.models import Image
from datasets.models.image import ImageFormat
from deepcap.common.errors import DomainError

from .decoding import decoder
from .pieces import Pieces


class NotDicom(DomainError):
    status = 404
    code = "not_dicom"


def render_image(*, image: Image, frame: int = 1, window: tuple[float, float] | None = None) -> Rendered:
    """Return frame ``frame`` (from 1) as an 8-bit PNG at full size, by the rules of P8 unless a window is given.

    Raises NotDrawable.
    """
    data, head = Pieces(image).with_frame(frame)
    with decoder() as sandbox:
        return sandbox.render(data, frame=frame, window=window, head=head)


def header_of(image: Image) -> dict[str, Any]:
    """Return a DICOM image's header as DICOM JSON (PS3.18, annex F), bulk data left out.

    Raises NotDicom and NotDrawable.
    """
    header = _header_bytes(image)
    with decoder() as sandbox:
        return sandbox.dicom_json(header)


def tags_of(image: Image) -> list[dict[str, Any]]:
    """Return a DICOM image's header as rows (`datasets.imaging.dicom.listing`). Raises NotDicom and NotDrawable."""
    header = _header_bytes(image)
    with decoder() as sandbox:
        return sandbox.tags(header)


def voi_luts_of(image: Image) -> list[dict[str, Any]]:
    """Return a DICOM image's VOI LUTs (`datasets.imaging.dicom.luts`). Raises NotDicom and NotDrawable."""
    header = _header_bytes(image)
    with decoder() as sandbox:
        return sandbox.voi_luts(header)


def _header_bytes(image: Image) -> bytes:
    if image.format != ImageFormat.DICOM:
        raise NotDicom("Only DICOM images have tags.")
    return Pieces(image).header()
