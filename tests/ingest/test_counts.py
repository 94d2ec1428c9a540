"""Sizes are summed page by page, each file's once."""

from __future__ import annotations

from array import array

import pytest

from datasets.ingest import counts
from datasets.models import Blob

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 100])
def test_a_file_counts_once_however_often_and_on_whatever_page_it_is_named(monkeypatch, at_a_time):
    monkeypatch.setattr(counts, "BLOBS_PER_SUM", at_a_time)
    blobs = [Blob.objects.create(digest=f"{number:064}", stem=f"s{number}", size=10**number) for number in range(4)]
    named = array("q", [blobs[place].pk for place in (2, 0, 2, 2, 1, 0, 2)])
    beats: list[int] = []
    assert counts._size_of(named, beat=lambda: beats.append(1)) == 111
    assert len(beats) == -(-7 // at_a_time)
    assert counts._size_of(array("q"), beat=None) == 0
