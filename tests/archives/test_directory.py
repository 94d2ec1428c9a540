import struct
import zlib

import pytest

from datasets.archives import ArchiveError, ArchiveLimits, FileSource, read_index, read_members
from tests.archives.build import LIMITS, File, MemorySource, archive, contents_of, index_of


def refusal_of(data, limits=LIMITS):
    with pytest.raises(ArchiveError) as caught:
        index_of(data, limits)
    assert str(caught.value) == caught.value.message
    return caught.value.code


def test_members_come_in_the_order_of_their_bytes_and_keep_their_place_in_the_directory():
    first, second = File(b"b.png", b"1"), File(b"a.png", b"2")
    data = archive(first, second)
    swapped = data.replace(first.central() + second.central(), second.central() + first.central())
    assert swapped != data
    index = index_of(swapped)
    assert [(member.path, member.index) for member in index.members] == [("b.png", 1), ("a.png", 0)]
    assert index.total_size == 2
    assert [member.end for member in index.members] == [index.members[1].offset, swapped.index(b"PK\x01\x02")]


def test_an_archive_without_entries_has_an_empty_index():
    index = index_of(archive())
    assert (index.members, index.refused, index.total_size) == ([], [], 0)


def test_a_file_that_is_no_zip_is_refused():
    assert refusal_of(b"just a text") == "zip_invalid"
    assert refusal_of(b"") == "zip_invalid"


def test_an_archive_cut_before_its_directory_is_damaged():
    data = archive(File(b"a.png", b"x" * 500, method=0))
    assert refusal_of(data[:300]) == "zip_damaged"


@pytest.mark.parametrize("comment", [b"", b"a comment", b"PK\x05\x06" * 5, b"x" * 0xFFFF])
def test_a_comment_does_not_hide_the_directory(comment):
    contents, _ = contents_of(archive(File(b"a.png"), comment=comment))
    assert contents == {"a.png": b"content"}


def test_bytes_after_the_archive_do_not_matter():
    contents, _ = contents_of(archive(File(b"a.png")) + b"\0" * 1000)
    assert contents == {"a.png": b"content"}


@pytest.mark.parametrize("zip64", [None, {}])
def test_a_program_in_front_of_the_archive_is_stepped_over(zip64):
    contents, _ = contents_of(archive(File(b"a.png"), File(b"b.png"), prefix=b"MZ program" * 50, zip64=zip64))
    assert contents == {"a.png": b"content", "b.png": b"content"}


def test_the_directory_of_an_archive_stored_in_a_truncated_one_is_not_taken_for_its_own():
    inner = archive(File(b"inner.png"))
    outer = archive(File(b"inner", inner, method=0), File(b"outer.png"))
    cut = outer[: outer.index(inner) + len(inner)]
    assert refusal_of(cut) == "zip_damaged"
    assert refusal_of(cut + b"PK\x03\x04 and a bit more") == "zip_damaged"


def test_zip64_sizes_and_offsets_are_read():
    contents, _ = contents_of(archive(File(b"a.png", zip64=True), File(b"b.png", b"2", zip64=True), zip64={}))
    assert contents == {"a.png": b"content", "b.png": b"2"}


def test_a_zip64_end_record_beside_true_short_fields_is_fine():
    file = File(b"a.png")
    plain = archive(file)
    short = (1, len(file.central()), plain.index(b"PK\x01\x02"))
    assert contents_of(archive(file, zip64={"short": short}))[0] == {"a.png": b"content"}
    assert refusal_of(archive(file, zip64={"short": short, "entries": 2})) == "zip_damaged"


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"entries": 1 << 60}, "zip_too_many_entries"),
        ({"entries": 7}, "zip_damaged"),
        ({"size": 1 << 60}, "zip_too_many_entries"),
        ({"size": 10_000}, "zip_damaged"),
        ({"size": 50}, "zip_damaged"),
        ({"offset": 1 << 60}, "zip_damaged"),
    ],
)
def test_a_zip64_end_record_that_lies_is_refused(lie, code):
    assert refusal_of(archive(File(b"a.png"), File(b"b.png"), zip64=lie)) == code


def test_a_zip64_locator_that_points_elsewhere_is_forgiven_if_the_record_is_in_its_place():
    assert contents_of(archive(File(b"a.png"), zip64={"locator": 3}))[0] == {"a.png": b"content"}


def test_an_entry_without_its_promised_64_bit_sizes_is_damage():
    short = File(b"a.png", size=0xFFFFFFFF, extra=struct.pack("<HHI", 1, 4, 0))
    assert refusal_of(archive(short)) == "zip_damaged"


def test_a_64_bit_offset_outside_the_archive_refuses_that_member_alone():
    lie = File(b"a.png", extra=struct.pack("<HHQ", 1, 8, (1 << 64) - 1), offset=0xFFFFFFFF)
    contents, refused = contents_of(archive(lie, File(b"b.png")))
    assert (contents, refused) == ({"b.png": b"content"}, {"a.png": "member_damaged"})


def test_an_extra_field_that_is_cut_short_is_passed_over():
    contents, _ = contents_of(archive(File(b"a.png", extra=b"\x99\x99\xff\xff12")))
    assert contents == {"a.png": b"content"}


@pytest.mark.parametrize("entries", [0, 1, 3, 0xFFFF])
def test_a_count_that_does_not_fit_is_damage(entries):
    assert refusal_of(archive(File(b"a.png"), File(b"b.png"), entries=entries)) == "zip_damaged"


def test_parts_of_a_split_archive_are_refused():
    assert refusal_of(archive(File(b"a.png"), disk=1)) == "zip_multi_disk"
    assert refusal_of(archive(File(b"a.png", disk=2))) == "zip_multi_disk"
    assert refusal_of(b"PK\x07\x08PK\x03\x04 and so on") == "zip_multi_disk"


def test_limits_are_checked_before_the_directory_is_parsed():
    data = archive(*(File(b"%d.png" % number) for number in range(10)))
    assert refusal_of(data, ArchiveLimits(max_entries=9)) == "zip_too_many_entries"
    assert refusal_of(data, ArchiveLimits(max_directory_bytes=100)) == "zip_too_many_entries"
    assert refusal_of(data, ArchiveLimits(max_archive_bytes=100)) == "zip_too_large"
    source = MemorySource(archive(*(File(b"%d.png" % number) for number in range(3000))))
    with pytest.raises(ArchiveError):
        read_index(source, ArchiveLimits(max_entries=2999))
    assert len(source.ranges) == 1


def test_a_count_modulo_65536_as_macos_writes_it_is_understood_and_still_limited():
    files = [File(b"%d" % number, b"1", method=0) for number in range(65_537)]
    data = b"".join([file.local() for file in files])
    offset = 0
    for file in files:
        file.at = offset
        offset += len(file.local())
    directory = b"".join([file.central() for file in files])
    data += directory + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), offset, 0)
    assert len(index_of(data).members) == 65_537
    assert refusal_of(data, ArchiveLimits(max_entries=1000)) == "zip_too_many_entries"


def test_a_small_archive_costs_one_read_and_a_large_one_two():
    source = MemorySource(archive(File(b"a.png")))
    read_index(source, LIMITS)
    assert len(source.ranges) == 1
    source = MemorySource(archive(*(File(b"%d.png" % number) for number in range(3000))))
    read_index(source, LIMITS)
    assert len(source.ranges) == 2


class WrappedSource:
    """5 GiB as macOS packs them: no zip64, every offset modulo 2**32; the space between the members is not stored."""

    GAP = 3 << 30

    def __init__(self):
        files = [File(b"a.png", b"first"), File(b"b.png", b"second"), File(b"c.png", b"third")]
        self.pieces = {}
        position = 0
        for file in files:
            self.pieces[position] = file.local()
            file.offset = position & 0xFFFFFFFF
            position += self.GAP
        directory = b"".join(file.central() for file in files)
        end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 3, 3, len(directory), position & 0xFFFFFFFF, 0)
        self.pieces[position] = directory + end
        self.size = position + len(directory) + len(end)

    def read_range(self, start, length):
        data = bytearray(length)
        for at, piece in self.pieces.items():
            first, last = max(at, start), min(at + len(piece), start + length)
            if first < last:
                data[first - start : last - start] = piece[first - at : last - at]
        return bytes(data)

    def stream_range(self, start, end):
        return MemorySource(self.read_range(start, min(end - start, 1000))).stream_range(0, min(end - start, 1000))


def test_an_archive_beyond_4_gib_without_zip64_as_macos_writes_it_is_read():
    source = WrappedSource()
    index = read_index(source, LIMITS)
    assert [member.offset for member in index.members] == [0, 3 << 30, 6 << 30]
    contents = [content for _, content in read_members(source, index.members, LIMITS)]
    assert contents == [b"first", b"second", b"third"]


def test_a_local_file_is_a_source(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(archive(File(b"a.png", b"x" * 200_000, method=0), File(b"b.png")))
    source = FileSource(path)
    index = read_index(source, LIMITS)
    assert [content for _, content in read_members(source, index.members, LIMITS)] == [b"x" * 200_000, b"content"]
    with pytest.raises(EOFError):
        source.read_range(source.size - 3, 5)


def test_a_name_from_the_unicode_path_field_wins_if_its_crc_fits_the_raw_name():
    def unicode_path(raw, name, version=1):
        return struct.pack("<HHBI", 0x7075, 5 + len(name), version, zlib.crc32(raw)) + name

    name = "左手.png".encode()
    assert [member.path for member in index_of(archive(File(b"old", extra=unicode_path(b"old", name)))).members] == [
        "左手.png"
    ]
    for wrong in (
        unicode_path(b"other", name),
        unicode_path(b"old", name, version=2),
        struct.pack("<HHB", 0x7075, 1, 1),
        unicode_path(b"old", b"\xff\xfe"),
    ):
        assert [member.path for member in index_of(archive(File(b"old", extra=wrong))).members] == ["old"]
