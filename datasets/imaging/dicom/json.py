"""A data set as DICOM JSON (PS3.18 annex F)."""

import warnings
from io import BytesIO
from typing import Any

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from ..errors import Rejected
from ..limits import Limits
from . import tags
from .file import open_dicom
from .lenient import FAULTS

MAX_INLINE_BYTES = 1024
"""Binary values above this are bulk and left out."""

_BULK_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))


def dataset_json(data: memoryview) -> dict[str, Any]:
    """Return the data set up to its pixel data as DICOM JSON; binary values above 1 KiB are left out.

    Raises Rejected (``header_invalid``) when it cannot be read or a value cannot be expressed.
    """
    file = open_dicom(data, Limits())
    stream = BytesIO(file.buffer[file.dataset_offset :])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read_dataset(stream, not file.explicit, file.little_endian, stop_when=_at_pixel_data)
            document: dict[str, Any] = dataset.to_json_dict(suppress_invalid_tags=True)
        except FAULTS as fault:
            raise Rejected("header_invalid", f"The DICOM header cannot be read: {fault}") from fault
    _drop_bulk(document)
    return document


def _at_pixel_data(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag in tags.PIXEL_TAGS


def _drop_bulk(document: dict[str, Any]) -> None:
    """Remove long binary values, at any depth."""
    pending = [document]
    while pending:
        level = pending.pop()
        for tag in [tag for tag, element in level.items() if _is_bulk(element)]:
            del level[tag]
        for element in level.values():
            if element.get("vr") == "SQ":
                pending.extend(element.get("Value", []))


def _is_bulk(element: dict[str, Any]) -> bool:
    inline = element.get("InlineBinary", "")
    return element.get("vr") in _BULK_VRS and len(inline) * 3 // 4 > MAX_INLINE_BYTES
