"""Label files of an upload in a bucket are asked for again and again, and fetched once."""

from __future__ import annotations

import io
from contextlib import contextmanager

import pytest

from datasets.archives import ArchiveLimits, open_member, read_index
from datasets.archives.streams import HELD_BYTES
from datasets.ingest.nearby import Nearby
from tests.builders import zip_of

LABELS = [(f"labels/{number:03d}.json", b'{"shapes": []}' * (number + 1)) for number in range(40)]
LARGE = ("labels/large.csv", bytes(range(256)) * (HELD_BYTES // 256 + 1))


class Bucket:
    """An object in a bucket that counts the requests for it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.requests = content, 0

    @property
    def size(self) -> int:
        return len(self.content)

    def read_range(self, start: int, length: int) -> bytes:
        self.requests += 1
        return self.content[start : start + length]

    @contextmanager
    def stream_range(self, start: int, end: int):
        self.requests += 1
        yield io.BytesIO(self.content[start:end])


@pytest.fixture
def bucket():
    images = [(f"image/{number}.png", bytes(200_000)) for number in range(10)]
    return Bucket(zip_of([*LABELS[:20], *images, *LABELS[20:], LARGE]))


def test_members_that_lie_together_are_one_request(bucket):
    limits = ArchiveLimits()
    members = [member for member in read_index(bucket, limits).members if member.path.startswith("labels/")]
    bucket.requests = 0
    nearby = Nearby(bucket, members)
    assert bucket.requests == 0
    for _format in range(8):
        for member in sorted(members, key=lambda member: member.path, reverse=True):
            with open_member(nearby, member, limits) as stream:
                assert stream.read() == dict([*LABELS, LARGE])[member.path]
    assert bucket.requests <= 2
    assert nearby.size == bucket.size
    nearby.close()


def test_two_members_can_be_read_in_turn(bucket):
    limits = ArchiveLimits()
    large = next(member for member in read_index(bucket, limits).members if member.path == LARGE[0])
    nearby = Nearby(bucket, [large])
    with open_member(nearby, large, limits) as one, open_member(nearby, large, limits) as other:
        assert [one.read(1000), other.read(500), one.read(1000)] == [
            LARGE[1][:1000],
            LARGE[1][:500],
            LARGE[1][1000:2000],
        ]
    assert nearby.read_range(large.offset, 4) == b"PK\x03\x04"
    nearby.close()
