"""Members read as streams are what they are when read at once, or are refused while they are read."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.archives import ArchiveLimits, DamagedError, FileSource, open_member, read_index, streams

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@pytest.fixture(autouse=True)
def _hold_little(monkeypatch):
    monkeypatch.setattr(streams, "HELD_BYTES", 100)
    monkeypatch.setattr(streams, "PIECE_BYTES", 512)


def archive(path, members) -> FileSource:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data, method in members:
            made.writestr(name, data, method)
    path.write_bytes(buffer.getvalue())
    return FileSource(path)


repeated = st.binary(min_size=1, max_size=9).map(lambda part: part * 999)
contents = st.binary(min_size=1, max_size=3000) | repeated


@settings(max_examples=60, deadline=None)
@given(data=st.lists(st.tuples(contents, st.sampled_from(METHODS)), min_size=1, max_size=4), step=st.integers(1, 5000))
def test_a_stream_gives_the_bytes_that_were_packed_whatever_the_steps(tmp_path_factory, data, step):
    named = [(f"{number}.txt", content, method) for number, (content, method) in enumerate(data)]
    source = archive(tmp_path_factory.mktemp("zip") / "a.zip", [(n, b"-" + content, m) for n, content, m in named])
    members = {member.path: member for member in read_index(source, ArchiveLimits()).members}
    for name, content, _method in named:
        with open_member(source, members[name], ArchiveLimits()) as stream:
            pieces = []
            while piece := stream.read(step):
                pieces.append(piece)
        assert b"".join(pieces) == b"-" + content


@pytest.mark.parametrize("method", METHODS[:2])
def test_damage_is_found_by_the_end_of_the_stream_at_the_latest(tmp_path, method):
    data = bytes(range(256)) * 40
    source = archive(tmp_path / "a.zip", [("a.txt", data, method)])
    [member] = read_index(source, ArchiveLimits()).members
    raw = bytearray(source.path.read_bytes())
    raw[member.least_end - 5] ^= 1
    source.path.write_bytes(raw)
    with open_member(source, member, ArchiveLimits()) as stream, pytest.raises(DamagedError):
        while stream.read(700):
            pass


def test_a_member_is_never_inflated_beyond_what_it_declares(tmp_path):
    source = archive(tmp_path / "a.zip", [("a.txt", b"0" * 100_000, zipfile.ZIP_DEFLATED)])
    [member] = read_index(source, ArchiveLimits()).members
    liar = replace(member, size=5_000)
    read = 0
    with open_member(source, liar, ArchiveLimits()) as stream, pytest.raises(DamagedError):
        while piece := stream.read(100):
            read += len(piece)
    assert read <= 5_000
