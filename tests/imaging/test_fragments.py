"""Frames cut out by range: whatever the offset tables say or do not say, the bytes are those of the frame."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.imaging.dicom import syntaxes
from datasets.imaging.errors import Rejected
from datasets.imaging.fragments import FrameIndex, join_items
from datasets.imaging.records import PixelPlace

HEADER = 37
fragment = st.binary(max_size=30).map(lambda data: b"\1" + data)
frame = st.lists(fragment, min_size=1, max_size=3).map(lambda parts: [b"\xff\xd8" + parts[0], *parts[1:]])
objects = st.lists(frame, min_size=1, max_size=12)


def item(value):
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def build(frames, table, *, tail=b"padding behind"):
    """Return the bytes of a file and where its pixels lie."""
    items = [b"".join(map(item, parts)) for parts in frames]
    starts = [sum(map(len, items[:number])) for number in range(len(items))]
    basic = {"basic": starts, "wrong": [0, *(start + 3 for start in starts[1:])], "short": starts[:-1]}.get(table, [])
    data = bytes(HEADER) + item(struct.pack(f"<{len(basic)}I", *basic)) + b"".join(items)
    data += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + tail
    extended = tuple(starts) if table == "extended" else ()
    place = PixelPlace(syntaxes.JPEG_BASELINE, True, HEADER, 0xFFFFFFFF, len(frames), 0, extended)
    return data, place


@given(objects, st.sampled_from(["none", "basic", "extended", "wrong", "short"]), st.randoms())
def test_every_frame_is_found_in_any_order(frames, table, random):
    data, place = build(frames, table)
    index = FrameIndex(place, len(data))
    order = list(range(len(frames)))
    random.shuffle(order)
    for number in order:
        assert index.read_frame(number, lambda start, length: data[start : start + length]) == b"".join(frames[number])


@given(objects, st.sampled_from(["basic", "extended"]))
def test_with_a_table_a_frame_is_read_alone(frames, table):
    data, place = build(frames, table)
    index = FrameIndex(place, len(data))
    read = []

    def reading(start, length):
        read.append((start, start + length))
        return data[start : start + length]

    index.read_frame(len(frames) // 2, reading)
    del read[:]
    index.read_frame(0, reading)
    assert len(read) == 1


@given(objects, st.integers(0, 400), st.sampled_from(["none", "basic", "extended", "wrong"]))
def test_a_file_cut_short_is_refused_or_gives_the_frame(frames, length, table):
    data, place = build(frames, table)
    cut = data[: HEADER + length]
    index = FrameIndex(place, len(cut))
    for number, parts in enumerate(frames):
        try:
            found = index.read_frame(number, lambda start, size: cut[start : start + size])
        except Rejected as refused:
            assert refused.code in ("pixel_data_truncated", "pixel_data_corrupt")
        else:
            assert b"".join(parts).startswith(found)


@given(st.binary(max_size=60))
def test_any_bytes_are_items_or_refused(data):
    try:
        assert len(join_items(data)) <= len(data)
    except Rejected as refused:
        assert refused.code in ("pixel_data_truncated", "pixel_data_corrupt")


def test_a_frame_that_is_not_there_is_refused():
    data, place = build([[b"\xff\xd8"]], "none")
    for number in (-1, 1):
        with pytest.raises(Rejected, match="has 1 frames"):
            FrameIndex(place, len(data)).read_frame(number, lambda start, length: data[start : start + length])
