"""Objects as files below one folder."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from datasets.archives.sources import ByteSource, ByteStream, FileSource

from .direct import write_directly
from .durable import sync_files, sync_folder
from .keys import PARTIAL, check_key, check_prefix
from .store import SizeMismatch, Store

SLICE = 1024**2


class LocalStore(Store):
    """The key is the path below ``root``; files are 0600, folders 0700.

    A file is written under ``<key>.partial``, made exclusively, and renamed: that name is also the lock that keeps a
    second writer of the same key out.
    """

    parallel_puts = 0

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = str(root)

    def put(self, key: str, data: bytes | memoryview) -> None:
        path = f"{self._folder}/{check_key(key)}"
        partial = path + PARTIAL
        file = self._create(partial)
        try:
            if os.path.exists(path):  # noqa: PTH110 - two files an image: what pathlib takes is felt here
                raise FileExistsError(f"{path} is in use: a key is used once.")
            view = memoryview(data)
            write_all(file, view, start=write_directly(file, view))
            os.rename(partial, path)  # noqa: PTH104
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
        finally:
            os.close(file)

    def sync(self, keys: Iterable[str]) -> None:
        keys = [check_key(key) for key in keys]
        sync_files(f"{self._folder}/{key}" for key in keys)
        parents = {PurePosixPath(parent) for parent in {key.rpartition("/")[0] for key in keys}}
        for folder in {above for parent in parents for above in (parent, *parent.parents)}:
            sync_folder(f"{self._folder}/{folder}")

    def put_stream(self, key: str, stream: ByteStream, size: int) -> None:
        with self._new_file(self._path(key)) as file:
            copy(stream, file, size=size, offset=0)
        self.sync([key])

    def read(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def size(self, key: str) -> int:
        return self._path(key).stat().st_size

    @contextmanager
    def open(self, key: str, start: int = 0, end: int | None = None) -> Iterator[ByteStream]:
        with self._path(key).open("rb") as file:
            file.seek(start)
            yield file if end is None else Limited(file, max(0, end - start))

    def source(self, key: str) -> ByteSource:
        return FileSource(self._path(key))

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        folder, _, start = prefix.rpartition("/")
        return self._walk(folder, start)

    def remove(self, objects: Iterable[tuple[str, int]]) -> None:
        folders = set()
        for key, _ in objects:
            path = self._path(key)
            path.unlink(missing_ok=True)
            folders.add(path.parent)
        left = set()
        for folder in folders - {self.root}:
            try:
                folder.rmdir()
                left.add(folder.parent)
            except OSError:  # others' objects are in it, or it went already
                left.add(folder)
        for folder in left:
            with suppress(FileNotFoundError):
                sync_folder(str(folder))

    def remove_prefixes(self, prefixes: Sequence[str]) -> tuple[int, int]:
        found: dict[str, int] = {}
        for folder, starts in by_folder(prefixes).items():
            found.update(item for item in self._walk(folder, "") if item[0].startswith(starts))
        self.remove(found.items())
        return len(found), sum(found.values())

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    def signed_url(self, key: str, *, filename: str, content_type: str, expires: int) -> None:
        return None

    def start_multipart(self, key: str) -> str:
        path = self._path(key)
        os.close(self._create(_partial(path)))
        if path.exists():
            _partial(path).unlink()
            raise FileExistsError(f"{path} is in use: a key is used once.")
        return secrets.token_hex(8)

    def signed_part_url(self, key: str, multipart_id: str, number: int, size: int, *, expires: int = 3600) -> None:
        return None

    def put_part(self, key: str, multipart_id: str, number: int, part_size: int, stream: ByteStream, size: int) -> str:
        file = os.open(_partial(self._path(key)), os.O_WRONLY | os.O_CLOEXEC)
        try:
            return copy(stream, file, size=size, offset=(number - 1) * part_size)
        finally:
            os.close(file)

    def list_parts(self, key: str, multipart_id: str) -> list[tuple[int, str, int]]:
        return []

    def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[tuple[int, str]]) -> int:
        path = self._path(key)
        with suppress(FileNotFoundError):  # completed before: then the object is there
            _partial(path).rename(path)
        self.sync([key])
        return path.stat().st_size

    def abort_multipart(self, key: str, multipart_id: str) -> None:
        _partial(self._path(key)).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _new_file(self, path: Path) -> Iterator[int]:
        """Give a descriptor to write the file with; it appears at ``path`` when the block ends without an error."""
        partial = _partial(path)
        file = self._create(partial)
        try:
            if path.exists():
                raise FileExistsError(f"{path} is in use: a key is used once.")
            yield file
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)

    def _create(self, path: str | Path) -> int:
        """Create a file that did not exist, and its folders; another process may be removing one that is empty."""
        while True:
            try:
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                self.root.mkdir(parents=True, exist_ok=True)
                for folder in reversed(Path(path).relative_to(self.root).parents):
                    with suppress(FileExistsError, FileNotFoundError):
                        os.mkdir(self.root / folder, 0o700)  # noqa: PTH102 - pathlib looks again, and it may be gone

    def _walk(self, folder: str, start: str) -> Iterator[tuple[str, int]]:
        """Yield (key, size) below ``folder`` where the next segment begins with ``start``, in byte order of keys."""
        for name in self._names(folder, start):
            key = f"{folder}/{name}" if folder else name
            if name.endswith("/"):
                yield from self._walk(key.rstrip("/"), "")
                continue
            try:
                size = (self.root / key).stat().st_size
            except FileNotFoundError:  # removed while we were looking
                continue
            yield key, size

    def _names(self, folder: str, start: str) -> list[str]:
        """Return the names in ``folder``, those of folders with a slash, in the order their keys have."""
        try:
            with os.scandir(self.root / folder) as entries:
                names = [entry.name + "/" * entry.is_dir() for entry in entries if entry.name.startswith(start)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(names, key=os.fsencode)


class Limited:
    """The next ``size`` bytes of a stream."""

    def __init__(self, stream: ByteStream, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def by_folder(prefixes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Group prefixes by the folder their objects are in, so that it is listed once for all of them."""
    folders: dict[str, tuple[str, ...]] = {}
    for prefix in prefixes:
        folder = check_prefix(prefix).rpartition("/")[0]
        folders[folder] = (*folders.get(folder, ()), prefix)
    return folders


def copy(stream: ByteStream, file: int, *, size: int, offset: int) -> str:
    """Write the stream's ``size`` bytes at ``offset`` and return their MD5. Raises SizeMismatch."""
    md5 = hashlib.md5(usedforsecurity=False)
    left = size
    while left and (data := stream.read(min(SLICE, left))):
        write_all(file, data, offset + size - left)
        md5.update(data)
        left -= len(data)
    if left or stream.read(1):
        raise SizeMismatch(f"{size} bytes were announced, {'fewer' if left else 'more'} came.")
    return md5.hexdigest()


def write_all(file: int, data: bytes | memoryview, offset: int = 0, *, start: int = 0) -> None:
    """Write ``data`` from its byte ``start`` on, its first byte being at ``offset``: one call may write less."""
    view, offset = memoryview(data)[start:], offset + start
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _partial(path: Path) -> Path:
    return path.with_name(path.name + PARTIAL)
