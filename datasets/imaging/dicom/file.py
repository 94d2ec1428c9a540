"""From bytes to a DICOM file: preamble, meta information (PS3.10 section 7), data set, and where its pixels lie."""

import struct
import zlib
from dataclasses import dataclass

from ..errors import Rejected
from ..limits import Limits
from . import lenient, syntaxes, tags
from .elements import Elements
from .vrs import LONG_VRS, SHORT_VRS
from .walker import PixelSpan, Unusual, walk

_META_GROUP = 0x0002


@dataclass(frozen=True, slots=True)
class DicomFile:
    """A parsed file: ``buffer`` holds the data set (inflated where it was deflated), ``pixels`` points into it."""

    buffer: memoryview
    elements: Elements
    pixels: PixelSpan | None
    transfer_syntax: str
    dataset_offset: int
    explicit: bool
    little_endian: bool
    truncated: bool
    """True when the header ends inside an element; pixels is None then."""


def open_dicom(data: memoryview, limits: Limits) -> DicomFile:
    """Locate everything of a DICOM file that stands before its pixel values.

    Files without preamble, and bare data sets without meta information, are read too; their encoding is then told from
    the first element. Raises Rejected: ``header_invalid``, ``file_truncated``, ``image_too_large`` (inflation).
    """
    start = 132 if bytes(data[128:132]) == b"DICM" else 0
    transfer_syntax, offset = _read_meta(data, start)
    if offset >= len(data):
        raise Rejected("header_invalid", "The DICOM file holds no data set.")
    if transfer_syntax == syntaxes.DEFLATED_LITTLE:
        data, offset = _inflate(data[offset:], limits), 0
    if transfer_syntax:
        explicit = transfer_syntax != syntaxes.IMPLICIT_LITTLE
        little = transfer_syntax != syntaxes.EXPLICIT_BIG
    else:
        explicit, little = _guess_encoding(data, offset)
        if explicit:
            transfer_syntax = syntaxes.EXPLICIT_LITTLE if little else syntaxes.EXPLICIT_BIG
        else:
            transfer_syntax = syntaxes.IMPLICIT_LITTLE
    elements, pixels, truncated = read_elements(data, offset, explicit=explicit, little_endian=little)
    return DicomFile(data, elements, pixels, transfer_syntax, offset, explicit, little, truncated)


def read_elements(
    data: memoryview, offset: int, *, explicit: bool, little_endian: bool
) -> tuple[Elements, PixelSpan | None, bool]:
    """Walk the data set, or let pydicom read it where it is unusual; the flag tells that its end is missing."""
    elements: Elements
    truncated = False
    try:
        elements, pixels = walk(data, offset, explicit=explicit, little_endian=little_endian)
    except Unusual as unusual:
        elements, pixels = lenient.parse(data, offset, explicit=explicit, little_endian=little_endian)
        truncated = unusual.truncated and pixels is None
    elements.adopt_defaults()
    return elements, pixels, truncated


def _read_meta(data: memoryview, offset: int) -> tuple[str, int]:
    """Return the transfer syntax ("" when there is none) and the offset behind the meta information."""
    transfer_syntax = ""
    end = len(data)
    while offset + 8 <= end:
        group, element, code, length = struct.unpack_from("<HH2sH", data, offset)
        if group != _META_GROUP:
            break
        if code in LONG_VRS:
            if offset + 12 > end:
                break
            length = struct.unpack_from("<I", data, offset + 8)[0]
            value = offset + 12
        elif code in SHORT_VRS:
            value = offset + 8
        else:  # meta information in implicit VR, against PS3.10, does occur
            length = struct.unpack_from("<I", data, offset + 4)[0]
            value = offset + 8
        if value + length > end:
            raise Rejected("file_truncated", "The DICOM file ends inside its meta information.")
        if (group << 16 | element) == tags.TRANSFER_SYNTAX_UID:
            transfer_syntax = bytes(data[value : value + length]).decode("ascii", "replace").strip(" \0")
        offset = value + length
    return transfer_syntax, offset


def _guess_encoding(data: memoryview, offset: int) -> tuple[bool, bool]:
    """Tell (explicit, little endian) of a data set without transfer syntax from its first element."""
    code = bytes(data[offset + 4 : offset + 6])
    explicit = code in LONG_VRS or code in SHORT_VRS
    group = struct.unpack_from("<H", data, offset)[0] if offset + 2 <= len(data) else 0
    return explicit, not (explicit and group >= 0x0100 and group & 0xFF == 0)


def _inflate(data: memoryview, limits: Limits) -> memoryview:
    """Inflate a Deflated Explicit VR data set (PS3.5 A.5), never beyond the limit."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, limits.max_inflated_bytes)
    except zlib.error as fault:
        raise Rejected("header_invalid", "The deflated DICOM data set is corrupt.") from fault
    if inflater.unconsumed_tail:
        raise Rejected("image_too_large", "The deflated DICOM data set is too large.")
    if not inflater.eof:
        raise Rejected("file_truncated", "The deflated DICOM data set ends too early.")
    return memoryview(inflated)
