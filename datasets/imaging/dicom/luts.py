"""VOI LUTs as a viewer takes them (PS3.3 C.11.2.1.1)."""

import base64
from typing import Any

from ..limits import Limits
from . import tags
from .file import open_dicom
from .grey import lookup_table


def voi_luts(head: memoryview, limits: Limits) -> list[dict[str, Any]]:
    """Return the usable VOI LUTs of a DICOM file, in file order, from its bytes up to the pixel data at least.

    ``entries`` are unsigned 16-bit little endian words in base64; an entry of ``white`` is white. Raises Rejected when
    the header cannot be read.
    """
    elements = open_dicom(head, limits).elements
    luts = []
    for item in elements.items(tags.VOI_LUT_SEQUENCE):
        table = lookup_table(item, elements)
        if table is not None:
            luts.append(
                {
                    "first": table.first,
                    "bits": table.bits,
                    "white": table.white,
                    "explanation": item.text(tags.LUT_EXPLANATION),
                    "entries": base64.b64encode(table.entries.astype("<u2").tobytes()).decode(),
                }
            )
    return luts
