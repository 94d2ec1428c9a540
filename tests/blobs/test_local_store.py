"""What only a folder promises, and how it keeps it."""

import fcntl
import io
import mmap
import os
import secrets
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.blobs.direct import BLOCK, LEAST_BYTES, write_directly
from datasets.blobs.keys import PARTIAL, check_key, claims_on, new_batch_prefix, new_upload_key
from datasets.blobs.store import SizeMismatch, get_store

KEY = "blobs/aa/x/000001.orig"


def files(store):
    return sorted(path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file())


def test_only_this_account_reads_what_is_stored(store):
    old = os.umask(0)
    try:
        store.put(KEY, b"patient")
        store.put_stream("uploads/a", io.BytesIO(b"zip"), 3)
        store.start_multipart("uploads/b")
    finally:
        os.umask(old)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.root.rglob("*") if path.is_dir()} == {0o700}


def test_a_key_is_used_once(store):
    store.put(KEY, b"first")
    with pytest.raises(FileExistsError):
        store.put(KEY, b"second")
    with pytest.raises(FileExistsError):
        store.put_stream(KEY, io.BytesIO(b"second"), 6)
    with pytest.raises(FileExistsError):
        store.start_multipart(KEY)
    assert store.read(KEY) == b"first"
    assert files(store) == [KEY]


def test_of_many_writers_of_one_key_one_succeeds(store):
    together = threading.Barrier(8)

    def put(number):
        together.wait()
        try:
            store.put(KEY, b"%d" % number * 1000)
        except FileExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        [winner] = [number for number in pool.map(put, range(8)) if number is not None]
    assert store.read(KEY) == b"%d" % winner * 1000
    assert files(store) == [KEY]


def test_an_object_appears_whole_or_not_at_all(store):
    class Breaking(io.BytesIO):
        def read(self, size=-1, /):
            assert not store.exists("uploads/a")
            assert files(store) == ["uploads/a" + PARTIAL]
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put_stream("uploads/a", Breaking(), 10)
    assert files(store) == []


def test_sync_reaches_every_file_and_folder_up_to_the_root(store, monkeypatch):
    synced = []

    def observe(call):
        def synchronise(file):
            synced.append(os.readlink(f"/proc/self/fd/{file}"))
            call(file)

        return synchronise

    monkeypatch.setattr(os, "fdatasync", observe(os.fdatasync))
    monkeypatch.setattr(os, "fsync", observe(os.fsync))
    keys = [KEY, "blobs/aa/x/000001.thumb.jpg", "blobs/bb/y/000001.orig"]
    for key in keys:
        store.put(key, b"1")
    assert synced == []

    store.sync(keys)
    folders = {path for key in keys for path in store.local_path(key).parents if path.is_relative_to(store.root)}
    assert sorted(synced) == sorted(str(path) for path in [*folders, *map(store.local_path, keys)])


def test_a_removal_survives_a_power_failure(store, monkeypatch):
    for key in (KEY, "blobs/aa/x/000002.orig", "uploads/a"):
        store.put(key, b"1")
    synced, fsync = [], os.fsync

    def observe(file):
        synced.append(os.readlink(f"/proc/self/fd/{file}"))
        fsync(file)

    monkeypatch.setattr(os, "fsync", observe)
    store.remove_prefixes(["blobs/aa/x/000001.", "uploads/a"])
    assert sorted(synced) == [str(store.root), str(store.root / "blobs/aa/x")]


def test_folders_go_with_their_last_object_while_others_write_into_them(store):
    def write_and_remove(number):
        for _ in range(200):
            store.put(f"uploads/{number}", b"1")
            store.remove_prefixes([f"uploads/{number}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_remove, range(4)))
    assert files(store) == []
    assert not (store.root / "uploads").exists()


def test_a_part_that_broke_off_may_be_sent_again(store):
    multipart_id = store.start_multipart("uploads/a")
    with pytest.raises(SizeMismatch):
        store.put_part("uploads/a", multipart_id, 2, 4, io.BytesIO(b"x"), 2)
    for number, data in ((2, b"56"), (1, b"1234")):
        store.put_part("uploads/a", multipart_id, number, 4, io.BytesIO(data), len(data))
    assert store.complete_multipart("uploads/a", multipart_id, []) == 6
    assert store.read("uploads/a") == b"123456"


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.hidden", "a\0b", "ä"]
)
def test_a_key_is_a_plain_relative_path(store, key):
    with pytest.raises(ValueError):
        store.put(key, b"1")
    with pytest.raises(ValueError):
        store.read(key)


def test_made_up_names_are_keys_and_never_the_same():
    names = {new_batch_prefix() for _ in range(1000)} | {new_upload_key() for _ in range(1000)}
    assert len(names) == 2000
    assert all(check_key(name.rstrip("/")) for name in names)


def test_an_object_is_claimed_by_its_folders_its_family_and_itself():
    assert claims_on("blobs/ab/x/000001.thumb.jpg") == [
        "blobs/",
        "blobs/ab/",
        "blobs/ab/x/",
        "blobs/ab/x/000001.",
        "blobs/ab/x/000001.thumb.jpg",
    ]
    assert claims_on("uploads/a.partial")[-1] == "uploads/a"


def test_a_child_process_does_not_inherit_the_store(store):
    assert get_store() is store
    pid = os.fork()
    if pid == 0:
        os._exit(get_store() is store)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@given(size=st.integers(0, LEAST_BYTES + 3 * BLOCK), offset=st.sampled_from([0, 1, BLOCK]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_object_is_what_was_put_whichever_way_it_was_written(store, size, offset):
    """Past the page cache, where it is large and lies on a page's border, or not."""
    memory = mmap.mmap(-1, offset + size + 1)
    memory[offset : offset + size] = (b"abcdefgh" * (size // 8 + 1))[:size]
    key = f"blobs/aa/x/{secrets.token_hex(8)}.orig"
    store.put(key, memoryview(memory)[offset : offset + size])
    assert store.read(key) == memory[offset : offset + size]
    store.remove([(key, size)])


def test_large_objects_go_past_the_page_cache_where_the_file_system_lets_them(store, monkeypatch):
    size = 2 * LEAST_BYTES + 5
    memory = memoryview(mmap.mmap(-1, size))
    memory[:] = secrets.token_bytes(size)
    store.root.mkdir(parents=True)
    with (store.root / "probe").open("wb") as file:
        if not write_directly(file.fileno(), memory):
            pytest.skip("This file system has no direct writes.")
    written = []
    pwrite = os.pwrite

    def observe(file, data, at):
        written.append((at, len(data), bool(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DIRECT)))
        return pwrite(file, data, at)

    monkeypatch.setattr(os, "pwrite", observe)
    store.put(KEY, memory)
    assert written == [(0, 2 * LEAST_BYTES, True), (2 * LEAST_BYTES, 5, False)]
    assert store.read(KEY) == memory
