"""Tell what a file is by its content; names and extensions are not asked."""

import struct

from .dicom.vrs import LONG_VRS, SHORT_VRS
from .records import Format

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def sniff(data: bytes | bytearray | memoryview) -> Format | None:
    """Return the format, or None when it is none of the three.

    DICOM is told by its prefix at byte 128 (PS3.10 section 7.1) whatever the preamble looks like, or by a first
    element that fits a data set stored without preamble or meta information.
    """
    view = memoryview(data)
    if bytes(view[128:132]) == b"DICM":
        return "DICOM"
    if bytes(view[:3]) == b"\xff\xd8\xff":
        return "JPEG"
    if bytes(view[:8]) == PNG_SIGNATURE:
        return "PNG"
    return "DICOM" if _looks_like_bare_dataset(view) else None


def _looks_like_bare_dataset(data: memoryview) -> bool:
    """Tell whether data begins like a data set without preamble: a first element of group 0002 or 0008 that fits."""
    if len(data) < 16:
        return False
    group, element = struct.unpack_from("<HH", data)
    little = group in (0x0002, 0x0008)
    if not little:
        group, element = struct.unpack_from(">HH", data)
        if group != 0x0008:
            return False
    if element > 0x0100 or element == 0x0002:
        return False
    code = bytes(data[4:6])
    order = "<" if little else ">"
    if code in LONG_VRS:
        return True
    if code in SHORT_VRS:
        return bool(struct.unpack_from(order + "H", data, 6)[0] <= len(data) - 8)
    return little and bool(struct.unpack_from("<I", data, 4)[0] <= min(1024, len(data) - 8))
