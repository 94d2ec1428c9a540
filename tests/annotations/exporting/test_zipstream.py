"""Streamed zips against the standard library's reader, and our own."""

import io
import struct
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.exporting import zipstream
from annotations.exporting.zipstream import Member, stream_zip

WHEN = datetime(2026, 11, 24, 19, 30, 42, tzinfo=UTC)
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00\\", exclude_categories=["Cs"]), min_size=1)
contents = st.lists(st.binary(max_size=40), max_size=5)


def opened(members):
    return zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(members, when=WHEN))))


@pytest.fixture
def everything_is_large(monkeypatch):
    """Make the paths for what does not fit 32 bits, and for long members, the usual ones."""
    monkeypatch.setattr(zipstream, "WHOLE", 8)
    monkeypatch.setattr(zipstream, "PIECE", 4)
    monkeypatch.setattr(zipstream, "MAX_16", 1)
    monkeypatch.setattr(zipstream, "DIRECTORY_IN_MEMORY", 10)


@given(st.dictionaries(names, st.tuples(contents, st.booleans()), max_size=6))
def test_what_goes_in_comes_out(files):
    with opened([Member(name, iter(pieces), compress) for name, (pieces, compress) in files.items()]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(files)
        for name, (pieces, compress) in files.items():
            assert archive.read(name) == b"".join(pieces)
            info = archive.getinfo(name)
            assert info.compress_type == (zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)
            assert info.date_time == (2026, 11, 24, 19, 30, 42)
            assert not info.flag_bits & zipstream.SIZES_FOLLOW


def test_long_members_state_their_sizes_behind_their_data(everything_is_large):
    content = [bytes([n]) * n for n in range(1, 60)]
    members = [Member("long.txt", content), Member("long.bin", content, compress=False), Member("short", [b"12345678"])]
    with opened(members) as archive:
        assert archive.testzip() is None
        assert archive.read("long.txt") == archive.read("long.bin") == b"".join(content)
        flags = [bool(info.flag_bits & zipstream.SIZES_FOLLOW) for info in archive.infolist()]
        assert flags == [True, True, False]


def test_numbers_that_do_not_fit_are_written_in_64_bits(everything_is_large):
    data = b"".join(stream_zip([Member(f"{n}.txt", [b"x" * n]) for n in range(30)], when=WHEN))
    assert b"PK\6\6" in data
    assert b"PK\6\7" in data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert [archive.read(info) for info in archive.infolist()] == [b"x" * n for n in range(30)]


def test_sizes_and_offsets_beyond_four_gibibytes_go_into_the_extra_field():
    entry = zipstream._Entry(b"big", zipstream.STORED, offset=5 * 2**32, size=6 * 2**32, packed=3)
    line = zipstream._central(entry, (0, 0))
    kind, length, size, offset = struct.unpack("<HHQQ", line[46 + 3 :])
    assert (kind, length, size, offset) == (1, 16, 6 * 2**32, 5 * 2**32)
    assert line[20:28] == struct.pack("<II", 3, 0xFFFFFFFF)


def test_an_empty_zip_is_one():
    assert opened([]).namelist() == []


def test_a_member_that_fails_leaves_no_end_that_could_be_taken_for_a_whole_zip():
    def failing():
        yield b"some"
        raise OSError

    stream = stream_zip([Member("a", [b"a"]), Member("b", failing())], when=WHEN)
    sent = []
    with pytest.raises(OSError):
        for piece in stream:
            sent.append(piece)
    assert b"PK\5\6" not in b"".join(sent)
