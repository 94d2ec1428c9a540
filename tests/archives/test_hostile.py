"""Archives made to hurt: they are refused before anything is inflated."""

import struct
import tracemalloc

import pytest

from datasets.archives import ArchiveError, ArchiveLimits, Refused, read_index, read_members
from tests.archives.build import LIMITS, File, MemorySource, archive, contents_of, index_of, raw_deflate

MIB = 1024 * 1024


def refusal_of(data, limits=LIMITS):
    source = MemorySource(data)
    with pytest.raises(ArchiveError) as caught:
        read_index(source, limits)
    assert source.streams == []
    return caught.value.code


def test_many_entries_that_share_one_stream_are_a_bomb():
    kernel = File(b"a.png", bytes(5 * MIB))
    twins = [File(b"b%d.png" % n, bytes(5 * MIB), offset=0, omit_local=True) for n in range(50)]
    assert refusal_of(archive(kernel, *twins)) == "zip_bomb"


def test_entries_that_overlap_in_part_are_a_bomb():
    """Quoted headers: the data of each member contains the next member whole (Fifield 2019)."""
    inner = File(b"b.png", b"x" * 100)
    outer = File(b"a.png", inner.local() + b"tail", method=0)
    inner.omit_local = True
    inner.offset = 30 + len(b"a.png")
    assert refusal_of(archive(outer, inner)) == "zip_bomb"


def test_a_header_stretched_over_the_next_member_is_damage():
    """Extra-field quoting: the local extra field of the first member covers the second, and both share the kernel."""
    second = File(b"b.png", b"kernel")
    hidden = second.local()
    first = File(b"a.png", b"kernel", local_extra=bytes(50) + hidden)
    first_bytes = first.local()
    second.offset = first_bytes.index(hidden)
    second.omit_local = True
    contents, refused = contents_of(archive(first, second))
    assert (contents, refused) == ({"b.png": b"kernel"}, {"a.png": "member_damaged"})


def test_a_member_that_reaches_into_the_directory_is_damaged():
    contents, refused = contents_of(archive(File(b"a.png"), File(b"b.png", method=0, compressed_size=1000, size=1000)))
    assert (contents, refused) == ({"a.png": b"content"}, {"b.png": "member_damaged"})


def test_a_member_that_grows_absurdly_is_refused_but_an_empty_slice_is_not():
    zeros = File(b"zeros.dcm", bytes(512 * 512 * 2))
    giant = File(b"giant.png", b"", packed=raw_deflate(bytes(80 * MIB)), size=80 * MIB)
    index = index_of(archive(zeros, giant))
    assert [member.path for member in index.members] == ["zeros.dcm"]
    assert [(refusal.path, refusal.code) for refusal in index.refused] == [("giant.png", "zip_bomb")]


def test_the_sum_of_sizes_is_bounded():
    files = [File(b"%d.png" % n, bytes(1000)) for n in range(10)]
    assert refusal_of(archive(*files), ArchiveLimits(max_total_bytes=9999)) == "zip_bomb"
    assert len(index_of(archive(*files), ArchiveLimits(max_total_bytes=10_000)).members) == 10


def test_the_ratio_of_the_whole_archive_is_bounded_above_a_free_amount():
    files = [File(b"%d.png" % n, bytes(100_000)) for n in range(10)]
    assert refusal_of(archive(*files), ArchiveLimits(ratio_free_total_bytes=999_999)) == "zip_bomb"
    assert len(index_of(archive(*files)).members) == 10


@pytest.mark.parametrize("flags", [0x0001, 0x0040, 0x2000])
def test_an_encrypted_archive_is_refused_and_an_encrypted_member_alone(flags):
    secret, folder, junk = File(b"s.png", flags=flags), File(b"d/", b"", method=0), File(b".DS_Store")
    assert refusal_of(archive(folder, secret, junk)) == "zip_encrypted"
    assert contents_of(archive(secret, File(b"a.png")))[1] == {"s.png": "zip_encrypted"}


def test_aes_encryption_is_encryption():
    assert refusal_of(archive(File(b"s.png", method=99))) == "zip_encrypted"


def test_patch_data_is_refused():
    assert contents_of(archive(File(b"a.png", flags=0x20)))[1] == {"a.png": "compression_unsupported"}


def test_a_members_list_that_was_tampered_with_reads_nothing_twice():
    source = MemorySource(archive(File(b"a.png"), File(b"b.png")))
    members = read_index(source, LIMITS).members
    results = list(read_members(source, [members[1], members[0], members[0]], LIMITS))
    assert [content for _, content in results] == [b"content"] * 3  # each in a stream of its own
    assert len(source.streams) == 3
    assert not any(isinstance(content, Refused) for _, content in results)


def test_fifty_thousand_entries_stay_within_600_bytes_each():
    count = 50_000
    entry = struct.Struct("<4sHHHHHHIIIHHHHHII")
    directory = bytearray()
    offset = 0
    for n in range(count):
        name = b"patient_%04d/series_%03d/IM%06d.dcm" % (n // 500, n // 100, n)
        size = 2000 + n % 1000
        directory += entry.pack(
            b"PK\x01\x02", 20, 20, 0, 0, 0, 0, n * 2654435761 & 0xFFFFFFFF, size, size, len(name), 0, 0, 0, 0, 0, offset
        )
        directory += name
        offset += 30 + len(name) + size
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), offset)
    end += struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + len(directory), 1)
    end += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), offset, 0)
    tail = bytes(directory) + end
    del directory, end

    class DirectoryOnly:
        size = offset + len(tail)

        def read_range(self, start, length):
            if start < offset:  # the tail's read begins within the last members
                gap = min(length, offset - start)
                return bytes(gap) + tail[: length - gap]
            return tail[start - offset : start - offset + length]

    tracemalloc.start()
    try:
        index = read_index(DirectoryOnly(), LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(index.members) == count
    assert peak < 600 * count
