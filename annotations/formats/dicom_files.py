"""Reading DICOM objects that say something about images, by pydicom, from bytes nobody vouches for."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

from .base import LabelError, SideFile, read_whole

MAX_DICOM = 2 * 1024 * 1024 * 1024
MAX_INFLATED = 512 * 1024 * 1024
SOP_CLASS = 0x00080016
HEAD = 64 * 1024
DEFLATED = b"1.2.840.10008.1.2.1.99"

# pydicom has no exception of its own for damaged data sets; these are what it raises for them.
FAULTS = (
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@contextmanager
def faults_named(what: str) -> Iterator[None]:
    """Turn what pydicom raises for damaged data into a ``LabelError``, and keep its warnings to ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except FAULTS as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise LabelError(f"{what}: {reason.rstrip('.')}.", code="label_file_invalid") from error


def sop_class(file: SideFile) -> str:
    """Return the SOP Class UID of a DICOM file, "" of any other file. Reads only its head, unless that is deflated."""
    with file.open() as stream:
        head = stream.read(HEAD)
        bare = head[:4] == b"\x08\x00\x05\x00" or head[:4] == b"\x08\x00\x08\x00" or head[:2] == b"\x02\x00"
        if head[128:132] != b"DICM" and not bare:
            return ""
    try:
        if DEFLATED in head[:1024]:
            head = _inflated(head, HEAD)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_partial(BytesIO(head), stop_when=lambda tag, vr, length: tag > SOP_CLASS, force=True)
            return str(found.get("SOPClassUID", ""))
    except FAULTS:
        return ""


def read_dicom(file: SideFile) -> Dataset:
    """Return the data set; ``LabelError`` if it cannot be read."""
    content = read_whole(file, MAX_DICOM)
    with faults_named("The DICOM file cannot be read"):
        if DEFLATED not in content[:1024]:
            return dcmread(BytesIO(content), force=True)
        inflated = _inflated(content, MAX_INFLATED + 1)
        if len(inflated) > MAX_INFLATED:
            raise LabelError("The DICOM file is too large.", code="label_file_too_large")
        dataset = dcmread(BytesIO(inflated), force=True)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return dataset


def _inflated(content: bytes, limit: int) -> bytes:
    """Return a deflated data set (PS3.5, A.5) without its File Meta Information, at most ``limit`` bytes of it.

    pydicom inflates all there is, and a few megabytes can hold more than a machine does. Raises ValueError, zlib.error.
    """
    if content[128:140] != b"DICM\x02\x00\x00\x00UL\x04\x00":
        raise ValueError("the length of its file meta information is missing")
    start = 144 + int.from_bytes(content[140:144], "little")
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:], limit)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, none if there is no such sequence."""
    value = dataset.get(keyword)
    return list(value) if value else []


def text(dataset: Dataset, *keywords: str) -> str:
    """Return the first of the attributes that says anything; of several values all, as they stand in the file."""
    for keyword in keywords:
        found = dataset.get(keyword)
        value = ("\\".join(map(str, found)) if isinstance(found, MultiValue) else str(found or "")).strip()
        if value:
            return value
    return ""


def code(dataset: Dataset, keyword: str) -> dict[str, str] | None:
    """Return a coded concept as value, scheme and meaning (PS3.3, 8.8)."""
    found: Any = items(dataset, keyword)
    if not found:
        return None
    return {
        "value": text(found[0], "CodeValue", "LongCodeValue"),
        "scheme": text(found[0], "CodingSchemeDesignator"),
        "meaning": text(found[0], "CodeMeaning"),
    }
