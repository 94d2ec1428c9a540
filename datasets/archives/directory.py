"""Finding and parsing a zip's central directory (PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16)."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .limits import ArchiveError, ArchiveLimits
from .sources import ByteSource

LOCAL_HEADER_SIGNATURE = b"PK\x03\x04"
SPLIT_SIGNATURE = b"PK\x07\x08"
ENTRY_SIGNATURE = b"PK\x01\x02"
DIRECTORY_DIGITAL_SIGNATURE = b"PK\x05\x05"
END_SIGNATURE = b"PK\x05\x06"
ZIP64_END_SIGNATURE = b"PK\x06\x06"
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"

END_RECORD = struct.Struct("<4sHHHHIIH")
ZIP64_LOCATOR = struct.Struct("<4sIQI")
ZIP64_END_RECORD = struct.Struct("<4sQHHIIQQQQ")
# Passed over: versions, time, date, internal attributes.
ENTRY = struct.Struct("<4s4xHH4xIIIHHHH2xII")
LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
EXTRA_FIELD = struct.Struct("<HH")

MAX_COMMENT_BYTES = 0xFFFF
FULL_16 = 0xFFFF
FULL_32 = 0xFFFFFFFF
WRAP_32 = 1 << 32

ZIP64_EXTRA = 0x0001
UNICODE_PATH_EXTRA = 0x7075


class Directory(NamedTuple):
    """The central directory as it lies in the source, and how to read the offsets in it."""

    start: int
    records: bytes
    entries: int
    """How many records there should be; without zip64 modulo 2**16."""
    shift: int
    """Bytes in front of the archive that its own offsets do not count (a self-extractor's program)."""
    wraps: bool
    """Larger than 4 GiB but written without zip64, as by macOS: offsets are modulo 2**32 and ascending."""


class Entry(NamedTuple):
    """One record of the central directory, sizes and offset already resolved through zip64."""

    name: bytes
    unicode_name: bytes | None
    """UTF-8 name from the Info-ZIP Unicode Path field, if its CRC fits the raw name."""
    flags: int
    method: int
    crc: int
    compressed_size: int
    size: int
    offset: int
    attributes: int


def damaged(detail: str) -> ArchiveError:
    """Return the refusal of an archive whose directory cannot be trusted."""
    return ArchiveError("zip_damaged", f"The zip file is damaged or incomplete: {detail}.")


def split() -> ArchiveError:
    """Return the refusal of one part of an archive."""
    return ArchiveError("zip_multi_disk", "The zip file is one part of a split archive; send it as one file.")


def read_directory(source: ByteSource, limits: ArchiveLimits) -> Directory:
    """Find and read the central directory; usually two reads, of a small archive one.

    Nothing it claims exceeds the limits afterwards. Raises ArchiveError: zip_invalid, zip_damaged, zip_multi_disk,
    zip_too_large, zip_too_many_entries.
    """
    if source.size > limits.max_archive_bytes:
        raise ArchiveError(
            "zip_too_large", f"The zip file has {source.size} bytes; at most {limits.max_archive_bytes} are accepted."
        )
    tail = _Tail(source)
    position = _find_end_record(tail.data)
    if position < 0:
        raise _no_end_record(tail.read(0, min(4, source.size)))
    _, disk, first_disk, disk_entries, entries, size, offset, _ = END_RECORD.unpack_from(tail.data, position)
    end = tail.start + position

    record_start = _find_zip64_end(tail, position - ZIP64_LOCATOR.size)
    if record_start is not None:
        end = record_start
        _, _, _, _, disk64, first_disk64, disk_entries64, entries64, size64, offset64 = ZIP64_END_RECORD.unpack(
            tail.read(record_start, ZIP64_END_RECORD.size)
        )
        disk = disk64 if disk == FULL_16 else disk
        first_disk = first_disk64 if first_disk == FULL_16 else first_disk
        disk_entries = disk_entries64 if disk_entries == FULL_16 else disk_entries
        entries = entries64 if entries == FULL_16 else entries
        size = size64 if size == FULL_32 else size
        offset = offset64 if offset == FULL_32 else offset
        if (entries, size, offset) != (entries64, size64, offset64):
            raise damaged("its two end records contradict each other")
    if disk or first_disk or disk_entries != entries:
        raise split()
    if entries > limits.max_entries:
        raise _too_many(limits)
    if size > limits.max_directory_bytes:
        raise ArchiveError("zip_too_many_entries", "The zip file's table of contents is too large.")
    return _place(tail, end, entries, size, offset)


class _Tail:
    """The end of the source, read once, through which the rest can be read too."""

    def __init__(self, source: ByteSource) -> None:
        reach = END_RECORD.size + MAX_COMMENT_BYTES + ZIP64_LOCATOR.size + ZIP64_END_RECORD.size
        self.source = source
        self.start = max(0, source.size - reach)
        self.data = source.read_range(self.start, source.size - self.start)

    def read(self, start: int, length: int) -> bytes:
        if start >= self.start:
            return self.data[start - self.start : start - self.start + length]
        return self.source.read_range(start, length)


def _find_end_record(tail: bytes) -> int:
    """Return where the end record starts, or -1: one whose comment ends the file, else the last with bytes after it."""
    followed = -1
    position = tail.rfind(END_SIGNATURE)
    while position >= 0:
        if position + END_RECORD.size <= len(tail):
            comment_size = END_RECORD.unpack_from(tail, position)[-1]
            spare = len(tail) - position - END_RECORD.size - comment_size
            if spare == 0:
                return position
            if spare > 0 > followed:
                followed = position
        position = tail.rfind(END_SIGNATURE, 0, position + len(END_SIGNATURE) - 1)
    return followed


def _no_end_record(head: bytes) -> ArchiveError:
    if head == SPLIT_SIGNATURE:
        return split()
    if head[:2] == b"PK":
        return damaged("its table of contents is missing, as after a broken download")
    return ArchiveError("zip_invalid", "The file is not a zip archive.")


def _find_zip64_end(tail: _Tail, locator_position: int) -> int | None:
    """Return where the zip64 end record starts: where its locator says or directly before that; None without one."""
    if locator_position < 0 or not tail.data.startswith(ZIP64_LOCATOR_SIGNATURE, locator_position):
        return None
    _, disk, stated, disks = ZIP64_LOCATOR.unpack_from(tail.data, locator_position)
    if disk or disks > 1:
        raise split()
    adjacent = tail.start + locator_position - ZIP64_END_RECORD.size
    for start in (stated, adjacent):
        if 0 <= start <= adjacent and tail.read(start, 4) == ZIP64_END_SIGNATURE:
            return int(start)
    return None


def _place(tail: _Tail, end: int, entries: int, size: int, offset: int) -> Directory:
    """Read the directory where it really starts: directly before its end record, else where the record says."""
    start = end - size
    if start < 0 or (entries and size < ENTRY.size):
        raise damaged("its table of contents is missing")
    if size < ENTRY.size:
        return Directory(start, b"", 0, 0, wraps=False)
    records = tail.read(start, size)
    if not records.startswith(ENTRY_SIGNATURE):
        if offset >= start:
            raise damaged("its table of contents cannot be found")
        start, records = offset, tail.read(offset, size)
    shift = start - offset
    if shift < 0:
        raise damaged("its table of contents lies before the place it names")
    wraps = shift > 0 and shift % WRAP_32 == 0
    if shift and not wraps and tail.read(0, 4) == LOCAL_HEADER_SIGNATURE:
        # Most likely the end of an archive stored inside this one, whose own end is cut off.
        raise damaged("its table of contents belongs to another archive")
    return Directory(start, records, entries, 0 if wraps else shift, wraps)


def _too_many(limits: ArchiveLimits) -> ArchiveError:
    return ArchiveError(
        "zip_too_many_entries", f"The zip file has too many entries; at most {limits.max_entries} are accepted."
    )


def parse_entries(directory: Directory, limits: ArchiveLimits) -> Iterator[Entry]:
    """Walk the directory's bytes lazily; offsets come out as positions in the source.

    Raises ArchiveError: zip_damaged if records and count disagree, zip_too_many_entries, zip_multi_disk.
    """
    position = parsed = 0
    base, previous = directory.shift, -1
    records = directory.records
    end = len(records)
    while position < end:
        if position + ENTRY.size > end:
            raise damaged("its table of contents is cut short")
        (
            signature, flags, method, crc, compressed_size, size,
            name_length, extra_length, comment_length, disk, attributes, offset,
        ) = ENTRY.unpack_from(records, position)  # fmt: skip
        if signature != ENTRY_SIGNATURE:
            if signature == DIRECTORY_DIGITAL_SIGNATURE:
                break
            raise damaged("its table of contents is unreadable")
        parsed += 1
        if parsed > limits.max_entries:
            raise _too_many(limits)
        name_end = position + ENTRY.size + name_length
        extra_end = name_end + extra_length
        name = records[position + ENTRY.size : name_end]
        position = extra_end + comment_length
        if position > end:
            raise damaged("its table of contents is cut short")
        unicode_name = None
        if extra_length:
            for identifier, value in _extra_fields(records[name_end:extra_end]):
                if identifier == ZIP64_EXTRA:
                    size, compressed_size, offset, disk = _resolve_zip64(value, size, compressed_size, offset, disk)
                elif identifier == UNICODE_PATH_EXTRA:
                    unicode_name = _unicode_path(value, name)
        if disk:
            raise split()
        offset += base
        if directory.wraps:
            while offset < previous:
                base += WRAP_32
                offset += WRAP_32
            previous = offset
        yield Entry(name, unicode_name, flags, method, crc, compressed_size, size, offset, attributes)
    # Writers without zip64 count modulo 2**16.
    if parsed != directory.entries and (directory.entries > FULL_16 or parsed & FULL_16 != directory.entries):
        raise damaged("its table of contents has more or fewer entries than it says")


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield identifier and value of each whole extra field (APPNOTE 4.5.1); padding that is no field ends the walk."""
    position = 0
    while position + EXTRA_FIELD.size <= len(extra):
        identifier, length = EXTRA_FIELD.unpack_from(extra, position)
        position += EXTRA_FIELD.size
        if position + length > len(extra):
            return
        yield identifier, extra[position : position + length]
        position += length


def _resolve_zip64(value: bytes, size: int, compressed_size: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """Replace the saturated fields by the 64-bit ones, which stand in this order and only if needed (4.5.3)."""
    position = 0
    resolved = []
    for number, full, layout in (
        (size, FULL_32, "<Q"),
        (compressed_size, FULL_32, "<Q"),
        (offset, FULL_32, "<Q"),
        (disk, FULL_16, "<I"),
    ):
        if number != full:
            resolved.append(number)
            continue
        if position + struct.calcsize(layout) > len(value):
            raise damaged("an entry's 64-bit sizes are missing")
        resolved.append(struct.unpack_from(layout, value, position)[0])
        position += struct.calcsize(layout)
    return resolved[0], resolved[1], resolved[2], resolved[3]


def _unicode_path(value: bytes, name: bytes) -> bytes | None:
    """Return the UTF-8 name of an Info-ZIP Unicode Path field (4.6.9) if it was made for this raw name."""
    if len(value) < 6 or value[0] != 1 or int.from_bytes(value[1:5], "little") != zlib.crc32(name):
        return None
    return value[5:]
