"""Tell what a file is by its content; names and extensions are not asked."""

from .dicom.file import looks_like_bare_dataset
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
    return "DICOM" if looks_like_bare_dataset(view) else None
