"""Zip archives made by hand, so that every field can lie; and sources that live in memory."""

import io
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field

from datasets.archives import ArchiveLimits, Refused, read_index, read_members

LIMITS = ArchiveLimits()


class MemorySource:
    """An archive in memory that counts how it is read and hands out streams in small portions."""

    def __init__(self, data, portion=1 << 30):
        self.data = data
        self.size = len(data)
        self.portion = portion
        self.ranges = []
        self.streams = []

    def read_range(self, start, length):
        assert start >= 0 and start + length <= self.size
        self.ranges.append((start, length))
        return self.data[start : start + length]

    @contextmanager
    def stream_range(self, start, end):
        assert 0 <= start <= end <= self.size  # what the index promised, even if the data is shorter by now
        self.streams.append((start, end))
        yield PortionedStream(self.data[start:end], self.portion)


class PortionedStream(io.BytesIO):
    """A stream that, like a network, returns less than was asked for."""

    def __init__(self, data, portion):
        super().__init__(data)
        self.portion = portion

    def read(self, size=-1):
        assert size >= 0
        return super().read(min(size, self.portion))


def raw_deflate(content):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


@dataclass
class File:
    """One member; what is None is derived honestly from the content."""

    name: bytes
    content: bytes = b"content"
    method: int = 8
    flags: int = 0
    packed: bytes | None = None
    size: int | None = None
    compressed_size: int | None = None
    crc: int | None = None
    offset: int | None = None
    attributes: int = 0
    extra: bytes = b""
    disk: int = 0
    local_name: bytes | None = None
    local_extra: bytes = b""
    local_method: int | None = None
    descriptor: bool = False
    omit_local: bool = False
    zip64: bool = False
    at: int = field(default=0, init=False)

    def local(self):
        packed = self._packed()
        name = self.name if self.local_name is None else self.local_name
        flags = self.flags | (8 if self.descriptor else 0)
        crc, compressed_size, size = (0, 0, 0) if self.descriptor else (self._crc(), len(packed), self._size())
        header = struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\x03\x04",
            20,
            flags,
            self.method if self.local_method is None else self.local_method,
            0,
            0,
            crc,
            min(compressed_size, 0xFFFFFFFF),
            min(size, 0xFFFFFFFF),
            len(name),
            len(self.local_extra),
        )
        tail = struct.pack("<4sIII", b"PK\x07\x08", self._crc(), len(packed), self._size()) if self.descriptor else b""
        return header + name + self.local_extra + packed + tail

    def central(self):
        size, compressed_size = self._size(), self._compressed_size()
        offset = self.at if self.offset is None else self.offset
        extra = self.extra
        if self.zip64:
            extra = struct.pack("<HHQQQ", 1, 24, size, compressed_size, offset) + extra
            size = compressed_size = offset = 0xFFFFFFFF
        return (
            struct.pack(
                "<4sHHHHHHIIIHHHHHII",
                b"PK\x01\x02",
                20,
                20,
                self.flags | (8 if self.descriptor else 0),
                self.method,
                0,
                0,
                self._crc(),
                compressed_size,
                size,
                len(self.name),
                len(extra),
                0,
                self.disk,
                0,
                self.attributes,
                offset,
            )
            + self.name
            + extra
        )

    def _packed(self):
        if self.packed is not None:
            return self.packed
        return self.content if self.method == 0 else raw_deflate(self.content)

    def _size(self):
        return len(self.content) if self.size is None else self.size

    def _compressed_size(self):
        return len(self._packed()) if self.compressed_size is None else self.compressed_size

    def _crc(self):
        return zlib.crc32(self.content) if self.crc is None else self.crc


def archive(*files, prefix=b"", comment=b"", entries=None, zip64=None, directory_offset=None, disk=0):
    """Return the bytes of a zip; ``zip64`` is None or a dict of fields that its zip64 end record states wrongly."""
    body = b""
    for file in files:
        file.at = len(body)
        if not file.omit_local:
            body += file.local()
    directory = b"".join(file.central() for file in files)
    count = len(files) if entries is None else entries
    offset = len(body) if directory_offset is None else directory_offset
    end = b""
    if zip64 is not None:
        truth = {"entries": count, "size": len(directory), "offset": offset, "locator": len(prefix + body + directory)}
        truth |= zip64
        end += struct.pack(
            "<4sQHHIIQQQQ",
            b"PK\x06\x06",
            44,
            45,
            45,
            0,
            0,
            truth["entries"],
            truth["entries"],
            truth["size"],
            truth["offset"],
        )
        end += struct.pack("<4sIQI", b"PK\x06\x07", 0, truth["locator"], 1)
        count, size, offset = truth.get("short", (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF))
    else:
        size = len(directory)
    end += struct.pack("<4sHHHHIIH", b"PK\x05\x06", disk, disk, count, count, size, offset, len(comment)) + comment
    return prefix + body + directory + end


def index_of(data, limits=LIMITS):
    return read_index(MemorySource(data), limits)


def contents_of(data, limits=LIMITS, portion=1 << 30):
    """Return path → content of what can be read, and path → code of what is refused, at the index or later."""
    source = MemorySource(data, portion)
    index = read_index(source, limits)
    contents = {}
    refused = {refusal.path: refusal.code for refusal in index.refused}
    for member, result in read_members(source, index.members, limits):
        if isinstance(result, Refused):
            refused[member.path] = result.code
        else:
            contents[member.path] = result
    return contents, refused
