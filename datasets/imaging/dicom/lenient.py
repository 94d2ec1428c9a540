"""The second reader: pydicom, for data sets that the walker calls unusual (wrong VRs, broken sequences)."""

import struct
import warnings
from collections.abc import Iterator
from io import BytesIO

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from ..errors import Rejected
from . import tags
from .elements import Elements
from .vrs import LONG_VRS
from .walker import PixelSpan

# pydicom raises any of these for damaged data sets; it has no exception of its own for them.
FAULTS = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
)


class Parsed(Elements):
    """A data set that pydicom read; values are taken as the raw bytes it kept."""

    __slots__ = ("_dataset",)

    def __init__(
        self, dataset: Dataset, *, little_endian: bool, encodings: list[str] | None = None, signed: bool = False
    ) -> None:
        super().__init__(little_endian=little_endian, encodings=encodings, signed=signed)
        self._dataset = dataset

    def __contains__(self, tag: int) -> bool:
        return tag in self._dataset

    def raw(self, tag: int) -> tuple[str, memoryview] | None:
        if tag not in self._dataset:
            return None
        try:
            element = self._dataset.get_item(tag)
        except FAULTS:  # pydicom does not know the VR the file gives it: as good as missing
            return None
        if not isinstance(element, RawDataElement):
            return None
        value = element.value
        if not isinstance(value, bytes):
            return element.VR or "", memoryview(b"")
        vr = "" if element.VR is None or element.is_implicit_VR else element.VR
        return vr, memoryview(value)

    def items(self, tag: int) -> Iterator[Elements]:
        if tag not in self._dataset:
            return
        try:
            value = self._dataset[tag].value
        except FAULTS as fault:
            raise Rejected(
                "header_invalid", f"The sequence ({tag >> 16:04X},{tag & 0xFFFF:04X}) cannot be read."
            ) from fault
        if not isinstance(value, list) and not hasattr(value, "__iter__"):
            return
        for item in value:
            if isinstance(item, Dataset):
                yield Parsed(item, little_endian=self.little_endian, encodings=self.encodings, signed=self.signed)


def parse(buffer: memoryview, offset: int, *, explicit: bool, little_endian: bool) -> tuple[Parsed, PixelSpan | None]:
    """Read the data set at offset up to its pixel data with pydicom.

    Raises Rejected (``header_invalid``) when pydicom cannot make sense of it either.
    """
    stream = BytesIO(buffer[offset:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read_dataset(stream, not explicit, little_endian, stop_when=_at_pixel_data)
        except FAULTS as fault:
            raise Rejected("header_invalid", f"The DICOM header cannot be read: {fault}") from fault
    implicit = dataset.original_encoding[0]  # what pydicom found, whatever the transfer syntax says
    at = offset + stream.tell()
    return Parsed(dataset, little_endian=little_endian), _pixel_span(buffer, at, not implicit, little_endian)


def _at_pixel_data(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag in tags.PIXEL_TAGS


def _pixel_span(buffer: memoryview, offset: int, explicit: bool, little_endian: bool) -> PixelSpan | None:
    order = "<" if little_endian else ">"
    if offset + 8 > len(buffer):
        return None
    group, element = struct.unpack_from(order + "HH", buffer, offset)
    tag = group << 16 | element
    if tag not in tags.PIXEL_TAGS:
        return None
    code = bytes(buffer[offset + 4 : offset + 6])
    if explicit and code in LONG_VRS and offset + 12 <= len(buffer):
        return PixelSpan(tag, code.decode(), offset + 12, *struct.unpack_from(order + "I", buffer, offset + 8))
    return PixelSpan(tag, tags.VR[tag], offset + 8, *struct.unpack_from(order + "I", buffer, offset + 4))
