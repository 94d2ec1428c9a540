"""What every store keeps its word on: the same tests over a folder, Swift and Ceph."""

import hashlib
import io
import tracemalloc
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from datasets.blobs import s3
from datasets.blobs.store import SizeMismatch

MIB = 1024**2
PART = 5 * MIB  # the least that S3 takes for a part that is not the last


class Zeros:
    """A stream of ``size`` zero bytes that holds none of them."""

    def __init__(self, size):
        self.left = size

    def read(self, size=-1, /):
        taken = self.left if size < 0 else min(size, self.left)
        self.left -= taken
        return bytes(taken)


def pattern(size, seed=0):
    return hashlib.shake_128(bytes([seed])).digest(size)


def test_what_was_put_is_read_whole_and_by_range(any_store):
    data = pattern(100_000)
    any_store.put("blobs/aa/x/000001.orig", memoryview(data))
    any_store.sync(["blobs/aa/x/000001.orig"])

    assert any_store.read("blobs/aa/x/000001.orig") == data
    assert any_store.size("blobs/aa/x/000001.orig") == len(data)
    assert any_store.exists("blobs/aa/x/000001.orig")
    for start, end in [(0, None), (10, 20), (99_990, None), (99_990, 100_000), (50, 50)]:
        with any_store.open("blobs/aa/x/000001.orig", start, end) as stream:
            assert stream.read(-1) == data[start:end]
    with any_store.open("blobs/aa/x/000001.orig", 5, 15) as stream:
        assert [stream.read(4), stream.read(4), stream.read(4), stream.read(4)] == [
            data[5:9],
            data[9:13],
            data[13:15],
            b"",
        ]


def test_an_empty_object_is_an_object(any_store):
    any_store.put("blobs/aa/x/000001.orig", b"")
    any_store.put_stream("uploads/empty", io.BytesIO(b""), 0)

    assert any_store.read("blobs/aa/x/000001.orig") == any_store.read("uploads/empty") == b""
    assert any_store.size("uploads/empty") == 0


def test_a_missing_object_is_said_to_be_missing(any_store):
    assert not any_store.exists("uploads/nothing")
    with pytest.raises(FileNotFoundError):
        any_store.read("uploads/nothing")
    with pytest.raises(FileNotFoundError):
        any_store.size("uploads/nothing")
    with pytest.raises(FileNotFoundError):
        any_store.source("uploads/nothing")
    with pytest.raises(FileNotFoundError), any_store.open("uploads/nothing"):
        pass


def test_keys_come_with_sizes_in_byte_order(any_store):
    written = {"uploads/b": 1, "blobs/ab/x/000001.orig": 2, "blobs/ab/x/000001.thumb.jpg": 3, "blobs/ab/x-y/0.orig": 4}
    for key, size in written.items():
        any_store.put(key, bytes(size))

    assert list(any_store.keys()) == sorted(written.items())
    assert list(any_store.keys("blobs/ab/x/")) == [("blobs/ab/x/000001.orig", 2), ("blobs/ab/x/000001.thumb.jpg", 3)]
    assert [key for key, _ in any_store.keys("blobs/ab/x")] == sorted(key for key in written if "blobs" in key)
    assert list(any_store.keys("nothing/")) == []


def test_a_prefix_is_removed_with_all_it_covers_and_nothing_else(any_store):
    for key in ["x/000001.orig", "x/000001.thumb.jpg", "x/000002.orig", "x/000010.orig", "y/000001.orig", "y/1.orig"]:
        any_store.put(f"blobs/ab/{key}", b"12345")

    removed = any_store.remove_prefixes(["blobs/ab/x/000001.", "blobs/ab/x/000010.", "blobs/ab/y/", "blobs/cd/none/"])
    assert removed == (5, 25)
    assert list(any_store.keys()) == [("blobs/ab/x/000002.orig", 5)]
    assert any_store.remove_prefixes(["blobs/ab/x/000001.", "blobs/ab/y/"]) == (0, 0)
    any_store.remove([("blobs/ab/x/000002.orig", 5), ("blobs/ab/x/never.orig", 5)])
    assert list(any_store.keys()) == []


@pytest.mark.parametrize("prefix", ["", "/", "blobs/", "blobs/ab/", "uploads/", "../x", "uploads/../x"])
def test_a_prefix_that_covers_what_belongs_to_others_is_refused(store, prefix):
    with pytest.raises(ValueError):
        store.remove_prefixes([prefix])


def test_a_stream_of_another_size_than_announced_leaves_nothing(any_store):
    for announced in (9, 11):
        with pytest.raises(SizeMismatch):
            any_store.put_stream(f"uploads/{announced}", io.BytesIO(bytes(10)), announced)
    assert list(any_store.keys()) == []


def test_a_large_stream_passes_through_bounded_memory(any_store, monkeypatch):
    monkeypatch.setattr(s3, "PART_SIZE", PART)
    size = 96 * MIB + 1
    any_store.put("uploads/warm-up", b"")
    tracemalloc.start()
    try:
        any_store.put_stream("uploads/large", Zeros(size), size)
        with any_store.open("uploads/large", 1) as stream:
            read = sum(len(piece) for piece in iter(lambda: stream.read(MIB), b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert read == size - 1
    assert peak < 32 * MIB


def test_a_source_reads_ranges_and_streams(any_store):
    data = pattern(MIB)
    any_store.put_stream("uploads/zip", io.BytesIO(data), len(data))
    source = any_store.source("uploads/zip")

    assert source.size == len(data)
    assert source.read_range(1000, 24) == data[1000:1024]
    with source.stream_range(500, 200_000) as stream:
        assert stream.read(300) == data[500:800]
        assert stream.read(300) == data[800:1100]


def test_parts_arrive_in_any_order_and_at_once(any_store):
    parts = {1: pattern(PART, 1), 2: pattern(PART, 2), 3: pattern(1000, 3)}
    multipart_id = any_store.start_multipart("uploads/parts")

    def put(number):
        data = parts[number]
        return number, any_store.put_part("uploads/parts", multipart_id, number, PART, io.BytesIO(data), len(data))

    with ThreadPoolExecutor(3) as pool:
        etags = dict(pool.map(put, [3, 1, 2]))

    assert etags == {number: hashlib.md5(data).hexdigest() for number, data in parts.items()}
    assert not any_store.exists("uploads/parts")
    if listed := any_store.list_parts("uploads/parts", multipart_id):
        assert listed == [(number, etags[number], len(parts[number])) for number in (1, 2, 3)]
    size = any_store.complete_multipart("uploads/parts", multipart_id, sorted(etags.items()))
    assert size == 2 * PART + 1000
    assert any_store.read("uploads/parts") == b"".join(parts.values())
    assert any_store.complete_multipart("uploads/parts", multipart_id, sorted(etags.items())) == size
    any_store.abort_multipart("uploads/parts", multipart_id)
    assert any_store.exists("uploads/parts")


def test_an_aborted_upload_takes_no_more_parts(any_store):
    multipart_id = any_store.start_multipart("uploads/parts")
    any_store.put_part("uploads/parts", multipart_id, 1, PART, io.BytesIO(b"123"), 3)
    any_store.abort_multipart("uploads/parts", multipart_id)
    any_store.abort_multipart("uploads/parts", multipart_id)

    assert list(any_store.keys()) == []
    with pytest.raises(FileNotFoundError):
        any_store.put_part("uploads/parts", multipart_id, 1, PART, io.BytesIO(b"123"), 3)
    with pytest.raises(FileNotFoundError):
        any_store.complete_multipart("uploads/parts", multipart_id, [(1, hashlib.md5(b"123").hexdigest())])


@pytest.mark.parametrize("sent", [2, 4])
def test_a_part_of_another_size_than_announced_is_refused(any_store, sent):
    multipart_id = any_store.start_multipart("uploads/parts")
    with pytest.raises(SizeMismatch):
        any_store.put_part("uploads/parts", multipart_id, 1, PART, io.BytesIO(bytes(sent)), 3)
    any_store.abort_multipart("uploads/parts", multipart_id)


def fetch(url, *, data=None, headers=None):
    request = urllib.request.Request(url, data=data, headers=headers or {}, method="GET" if data is None else "PUT")
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read(), response.headers


def test_a_signed_address_opens_one_object_and_no_other(any_store):
    any_store.put("blobs/aa/x/000001.orig", b"secret")
    any_store.put("blobs/aa/x/000002.orig", b"other")
    url = any_store.signed_url(
        "blobs/aa/x/000001.orig", filename="Bild ä.dcm", content_type="application/dicom", expires=60
    )
    if url is None:
        assert any_store.local_path("blobs/aa/x/000001.orig").read_bytes() == b"secret"
        return
    assert any_store.local_path("blobs/aa/x/000001.orig") is None
    body, headers = fetch(url)
    assert body == b"secret"
    assert headers["Content-Type"] == "application/dicom"
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''Bild%20%C3%A4.dcm"
    assert fetch(url, headers={"Range": "bytes=2-3"})[0] == b"cr"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url.replace("000001.orig", "000002.orig"))


def test_a_browser_puts_parts_at_signed_addresses(any_store):
    multipart_id = any_store.start_multipart("uploads/browser")
    url = any_store.signed_part_url("uploads/browser", multipart_id, 1, 6)
    if url is None:
        etag = any_store.put_part("uploads/browser", multipart_id, 1, PART, io.BytesIO(b"abcdef"), 6)
    else:
        with pytest.raises(urllib.error.HTTPError, match="403"):  # a part of another size than was signed
            fetch(url, data=b"abcdefg")
        _, headers = fetch(url, data=b"abcdef", headers={"Origin": "https://deepcap.example"})
        etag = headers["ETag"].strip('"')
    assert any_store.complete_multipart("uploads/browser", multipart_id, [(1, etag)]) == 6
    assert any_store.read("uploads/browser") == b"abcdef"


def test_removing_a_batch_or_an_upload_forgets_what_was_begun_in_parts(any_store):
    for key, prefix in (("blobs/aa/bbbb/000001.orig", "blobs/aa/bbbb/"), ("uploads/a", "uploads/a")):
        multipart_id = any_store.start_multipart(key)
        any_store.put_part(key, multipart_id, 1, 5, io.BytesIO(b"12345"), 5)
        other = any_store.start_multipart("uploads/b")

        any_store.remove_prefixes([prefix])
        with pytest.raises(FileNotFoundError):
            any_store.put_part(key, multipart_id, 2, 5, io.BytesIO(b"12345"), 5)
        any_store.put_part("uploads/b", other, 1, 5, io.BytesIO(b"12345"), 5)
        any_store.abort_multipart("uploads/b", other)
    assert list(any_store.keys()) == []
