import bz2
import json
import lzma
import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO

import pytest

from datasets.archives import ArchiveLimits, FileSource, Member, Refused, batches, inflate, read_index, read_members
from tests.archives.build import LIMITS, File, MemorySource, archive, contents_of, index_of, raw_deflate

MIB = 1024 * 1024


@pytest.fixture(params=["libdeflate", "isal", "zlib"])
def each_zlib(request, monkeypatch):
    if request.param == "libdeflate":
        pytest.importorskip("imagecodecs")
        return
    module = pytest.importorskip("isal.isal_zlib") if request.param == "isal" else zlib
    monkeypatch.setattr(inflate, "deflate", module)
    monkeypatch.setattr(inflate, "whole_inflater", lambda: None)


def written(contents, method):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for path, content in contents.items():
            file.writestr(path, content)
    return buffer.getvalue()


@pytest.mark.usefixtures("each_zlib")
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_supported_method_gives_the_bytes_back(method):
    expected = {f"image/{n}.dcm": bytes([n]) * 10 + bytes(range(256)) * n for n in range(1, 60)}
    assert contents_of(written(expected, method)) == (expected, {})


@pytest.mark.usefixtures("each_zlib")
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_large_members_are_inflated_piece_by_piece(method, monkeypatch):
    monkeypatch.setattr(inflate, "WHOLE_BYTES", 5000)
    monkeypatch.setattr(inflate, "PIECE_BYTES", 300)
    expected = {
        "noise": b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(20_000)),
        "zeros": bytes(3_000_000),
    }
    assert contents_of(written(expected, method)) == (expected, {})


def test_an_lzma_stream_without_end_marker_is_read():
    content = b"0123456789" * 500
    packer = lzma.LZMACompressor(lzma.FORMAT_ALONE, preset=6)  # the older format: properties, size, stream
    alone = packer.compress(content) + packer.flush()
    properties, stream = alone[:5], alone[13:]
    packed = struct.pack("<BBH", 9, 4, 5) + properties + stream
    assert contents_of(archive(File(b"a", content, method=14, flags=2, packed=packed)))[0] == {"a": content}
    assert contents_of(archive(File(b"a", content, method=14, flags=0, packed=packed)))[0] == {"a": content}


@pytest.mark.parametrize(
    "packed", [b"", b"\x09\x04\x05\x00", b"\x09\x04\x06\x00" + b"\0" * 20, b"\x09\x04\x05\x00\xff" * 4]
)
def test_a_broken_lzma_header_is_damage(packed):
    assert contents_of(archive(File(b"a", method=14, packed=packed)))[1] == {"a": "member_damaged"}


def test_a_huge_lzma_dictionary_is_not_allocated():
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 4096}]
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
    stream = packer.compress(b"content") + packer.flush()
    packed = struct.pack("<BBHBI", 9, 4, 5, 93, 0xFFFFFFFF) + stream
    assert contents_of(archive(File(b"a", method=14, flags=2, packed=packed)))[0] == {"a": b"content"}


@pytest.mark.parametrize(
    ("method", "named"), [(9, "Deflate64"), (93, "Zstandard"), (95, "XZ"), (98, "PPMd"), (1, "Shrink"), (77, "unknown")]
)
def test_other_methods_are_refused_by_name(method, named):
    index = index_of(archive(File(b"a.png", method=method)))
    assert [refusal.code for refusal in index.refused] == ["compression_unsupported"]
    assert named in index.refused[0].message


def test_data_descriptors_as_streaming_writers_leave_them_are_read():
    class Pipe(BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError("a pipe")

        def seek(self, *_):
            raise OSError("a pipe")

    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        pipe = Pipe()
        with zipfile.ZipFile(pipe, "w", method) as file:
            for name in ("folder/a.dcm", "folder/b.dcm"):
                with file.open(name, "w", force_zip64=True) as member:
                    member.write(name.encode() * 100)
        contents, refused = contents_of(pipe.getvalue())
        assert contents == {name: name.encode() * 100 for name in ("folder/a.dcm", "folder/b.dcm")}
        assert refused == {}


def test_a_folder_sent_by_the_browser_as_a_stored_zip64_stream_is_read():
    files = [
        File(f"資料夾/{n}.dcm".encode(), b"slice %d" % n, method=0, flags=0x0800, descriptor=True, zip64=n % 2 == 0)
        for n in range(50)
    ]
    contents, refused = contents_of(archive(*files, zip64={}))
    assert contents == {f"資料夾/{n}.dcm": b"slice %d" % n for n in range(50)}
    assert refused == {}


@pytest.mark.parametrize("portion", [1, 7, 1000, 1 << 20])
def test_a_source_may_hand_out_its_bytes_in_portions(portion):
    expected = {f"{n}.png": bytes([n]) * (n * 300) for n in range(1, 20)}
    assert contents_of(written(expected, zipfile.ZIP_DEFLATED), portion=portion) == (expected, {})


def test_contiguous_members_cost_one_stream_that_ends_with_the_last_of_them():
    source = MemorySource(archive(*(File(b"%d.png" % n, bytes(500), method=0) for n in range(20))))
    members = read_index(source, LIMITS).members
    assert len(list(read_members(source, members[5:15], LIMITS))) == 10
    assert source.streams == [(members[5].offset, members[15].offset)]


def test_a_large_hole_between_members_is_not_read():
    hole = File(b"movie.zip", bytes(3 * MIB), method=0)
    source = MemorySource(archive(File(b"a.png"), hole, File(b"b.png")))
    members = read_index(source, LIMITS).members
    assert [len(batch) for batch in batches(members)] == [1, 1]
    assert len(list(read_members(source, members, LIMITS))) == 2
    assert len(source.streams) == 2
    assert sum(end - start for start, end in source.streams) < 200_000


def test_a_small_hole_is_read_over():
    source = MemorySource(archive(File(b"a.png"), File(b".DS_Store", bytes(3000), method=0), File(b"b.png")))
    members = read_index(source, LIMITS).members
    assert [content for _, content in read_members(source, members, LIMITS)] == [b"content"] * 2
    assert len(source.streams) == 1


def test_a_source_that_ends_early_is_our_own_fault_and_raised():
    source = MemorySource(archive(File(b"a.png", bytes(1000), method=0), File(b"b.png")))
    members = read_index(source, LIMITS).members
    source.data = source.data[:500]
    with pytest.raises(EOFError):
        list(read_members(source, members, LIMITS))


@pytest.mark.usefixtures("each_zlib")
@pytest.mark.parametrize(
    "damage",
    [
        {"crc": 1},
        {"size": 6},
        {"size": 8},
        {"size": 60 * MIB},
        {"packed": b""},
        {"packed": b"\xff" * 20},
        {"packed": raw_deflate(b"content")[:-3]},
        {"method": 0, "size": 6},
        {"method": 0, "size": 8},
        {"method": 12},
        {"method": 12, "packed": bz2.compress(b"content")[:-12]},
        {"method": 12, "packed": bz2.compress(b"other")},
        {"method": 14},
        {"local_method": 0},
        {"local_name": b"longer.png"},
        {"local_name": b"a"},
        {"packed": b"", "local_name": b""},
    ],
    ids=str,
)
def test_a_damaged_member_is_refused_alone(damage):
    contents, refused = contents_of(archive(File(b"good.png"), File(b"bad.png", **damage), File(b"fine.png")))
    assert contents["good.png"] == b"content"
    assert refused["bad.png"] == "member_damaged"
    assert contents["fine.png"] == b"content"


def test_a_member_whose_header_is_overwritten_is_refused_alone():
    bad = File(b"bad.png")
    data = archive(File(b"good.png"), bad, File(b"fine.png")).replace(bad.local()[:4], b"PK\x99\x99")
    assert data.count(b"PK\x99\x99") == 3
    data = data.replace(b"PK\x99\x99", b"PK\x03\x04", 1)
    data = data[::-1].replace(b"\x99\x99KP", b"\x04\x03KP", 1)[::-1]
    contents, refused = contents_of(data)
    assert (sorted(contents), refused) == (["fine.png", "good.png"], {"bad.png": "member_damaged"})


def test_a_member_never_inflates_further_than_it_declares():
    """70 MB of zeros behind a declared size of 100 bytes are not unpacked."""
    lie = File(b"lie.png", b"", packed=raw_deflate(bytes(70 * MIB)), size=100)
    data = archive(lie)
    tracemalloc.start()
    try:
        _, refused = contents_of(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused == {"lie.png": "member_damaged"}
    assert peak < 2 * MIB


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_large_member_costs_little_more_memory_than_its_content(method, tmp_path):
    path = tmp_path / "large.zip"
    size = 96 * MIB
    block = b"".join(zlib.crc32(bytes([n % 256, n // 256])).to_bytes(4, "big") for n in range(16_384))
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as file, file.open("large.dcm", "w") as member:
        for _ in range(size // len(block)):
            member.write(block)
    source = FileSource(path)
    members = read_index(source, LIMITS).members
    assert members[0].compressed_size > inflate.WHOLE_BYTES
    tracemalloc.start()
    try:
        for _, content in read_members(source, members, LIMITS):
            assert len(content) == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size * 1.3 + 20 * MIB


def test_a_member_larger_than_the_limit_is_refused_unread():
    data = archive(File(b"a.png", bytes(1000)), File(b"b.png"))
    assert contents_of(data, ArchiveLimits(max_member_bytes=999))[1] == {"a.png": "member_too_large"}
    source = MemorySource(data)
    results = read_members(source, read_index(source, LIMITS).members, ArchiveLimits(max_member_bytes=999))
    assert [result.code if isinstance(result, Refused) else result for _, result in results] == [
        "member_too_large",
        b"content",
    ]


@pytest.mark.parametrize(
    "content",
    [
        archive(File(b"inner.png")),
        archive(),
        b"7z\xbc\xaf\x27\x1c" + bytes(20),
        b"Rar!\x1a\x07\x01\x00" + bytes(20),
        b"\x1f\x8b\x08" + bytes(20),
        bz2.compress(b"x" * 100),
        lzma.compress(b"x" * 100),
        bytes(257) + b"ustar" + bytes(250),
    ],
)
def test_an_archive_in_disguise_is_never_opened(content):
    contents, refused = contents_of(archive(File(b"image/a.png", content), File(b"b.png")))
    assert (contents, refused) == ({"b.png": b"content"}, {"image/a.png": "nested_archive"})


def test_a_dicom_file_with_an_archive_signature_in_its_preamble_is_a_dicom_file():
    content = b"PK\x03\x04".ljust(128, b"\0") + b"DICM"
    assert contents_of(archive(File(b"a.dcm", content)))[0] == {"a.dcm": content}


@pytest.mark.parametrize("name", [b"a.zip", b"b/A.ZIP", b"a.7z", b"a.rar", b"a.tar", b"a.tar.gz", b"a.tgz", b"a.zst"])
def test_an_archive_by_name_is_refused_at_the_index(name):
    index = index_of(archive(File(name)))
    assert [refusal.code for refusal in index.refused] == ["nested_archive"]
    assert index.members == []


def test_a_member_goes_through_json_unchanged():
    for member in index_of(archive(File("左手.png".encode(), zip64=True), File(b"b.png"), zip64={})).members:
        assert Member.from_json(json.loads(json.dumps(member.to_json()))) == member
    with pytest.raises(ValueError, match="10 fields"):
        Member.from_json([1, "a"])


def test_batches_are_bounded_contiguous_and_always_the_same():
    sizes = [10, 20, 500, 30, 40, 5, 5, 5, 5]
    members = index_of(archive(*(File(b"%d" % n, bytes(size), method=0) for n, size in enumerate(sizes)))).members
    cut = [[member.size for member in batch] for batch in batches(members, max_members=3, max_bytes=70)]
    assert cut == [[10, 20], [500], [30, 40], [5, 5, 5], [5]]
    assert list(batches(members)) == [members]
    assert list(batches([])) == []
