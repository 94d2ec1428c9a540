"""The objects behind the rows. All access to storage goes through the :class:`Store` that :func:`get_store` returns.

Which one is set by ``STORAGES["vault"]``: a folder (``FileSystemStorage``) or a bucket (``S3Storage``).
A missing object is ``FileNotFoundError`` on both; other failures of the storage are one of ``STORAGE_FAULTS``.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.storage import FileSystemStorage, storages
from django.core.signals import setting_changed

from datasets.archives.sources import ByteSource, ByteStream

STORAGE_FAULTS = (OSError, BotoCoreError, ClientError)


class SizeMismatch(ValueError):
    """A stream held fewer or more bytes than were announced; nothing was stored under the key."""


class Store(ABC):
    """Objects under keys that are used once (``datasets.blobs.keys``). What is written is readable by no other account.

    An object appears under its key whole or not at all. A folder refuses a key that is in use with FileExistsError;
    S3 has no safe way to tell (a repeated request would refuse itself) and relies on keys being used once.
    """

    parallel_puts: int
    """How many puts of one writer may usefully run at the same time; 0 where nothing is gained."""

    @abstractmethod
    def put(self, key: str, data: bytes | memoryview) -> None:
        """Write an object; it survives a power failure once it was named in :meth:`sync`."""

    @abstractmethod
    def sync(self, keys: Iterable[str]) -> None:
        """The objects put under ``keys`` survive a power failure from here on."""

    @abstractmethod
    def put_stream(self, key: str, stream: ByteStream, size: int) -> None:
        """Write an object of ``size`` bytes, synced, within the memory of one part. Raises SizeMismatch."""

    @abstractmethod
    def read(self, key: str) -> bytes: ...

    @abstractmethod
    def size(self, key: str) -> int: ...

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except FileNotFoundError:
            return False
        return True

    @abstractmethod
    def open(self, key: str, start: int = 0, end: int | None = None) -> AbstractContextManager[ByteStream]:
        """Open one sequential read of the bytes ``start`` to ``end`` (exclusive), ending there."""

    @abstractmethod
    def source(self, key: str) -> ByteSource:
        """Return the object as an archive's source of bytes. On S3 it is pinned to its present ETag."""

    @abstractmethod
    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Yield (key, size) of all objects whose keys start with ``prefix``, in byte order of the keys."""

    @abstractmethod
    def remove(self, objects: Iterable[tuple[str, int]]) -> None:
        """Remove objects given as (key, size). One that is gone already is no error."""

    @abstractmethod
    def remove_prefixes(self, prefixes: Sequence[str]) -> tuple[int, int]:
        """Remove every object whose key starts with one of ``prefixes``: families (``stem.``), batches, uploads.

        Of batches and uploads also what was begun in parts and never completed. The removal survives a power failure.
        Returns how many objects and bytes were found and removed. Doing it again removes nothing and is no error.
        """

    @abstractmethod
    def local_path(self, key: str) -> Path | None:
        """Return the file that holds the object, or None where there is none."""

    @abstractmethod
    def signed_url(self, key: str, *, filename: str, content_type: str, expires: int) -> str | None:
        """Return an address at which anybody may download the object for ``expires`` seconds; None for a folder."""

    # An upload in parts, numbered from 1; all parts but the last have the same size.

    @abstractmethod
    def start_multipart(self, key: str) -> str:
        """Begin an object in parts and return the upload's id."""

    @abstractmethod
    def signed_part_url(
        self, key: str, multipart_id: str, number: int, size: int, *, expires: int = 3600
    ) -> str | None:
        """Return an address to PUT the part to, or None: then our own API takes it and calls :meth:`put_part`."""

    @abstractmethod
    def put_part(self, key: str, multipart_id: str, number: int, part_size: int, stream: ByteStream, size: int) -> str:
        """Write part ``number`` of ``size`` bytes, in an upload whose parts measure ``part_size``; returns its ETag
        (MD5, hexadecimal). Parts may arrive in any order and at the same time.

        Raises SizeMismatch, and FileNotFoundError when the upload was completed or aborted.
        """

    @abstractmethod
    def list_parts(self, key: str, multipart_id: str) -> list[tuple[int, str, int]]:
        """Return (number, ETag, size) of the parts S3 has received; a folder keeps no account and returns none."""

    @abstractmethod
    def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[tuple[int, str]]) -> int:
        """Make the object out of its parts, given as (number, ETag), synced; returns its size.

        Completing again what is complete returns the same. Raises FileNotFoundError when there is nothing to complete.
        """

    @abstractmethod
    def abort_multipart(self, key: str, multipart_id: str) -> None:
        """Forget the parts. Aborting what is aborted or complete already does nothing."""


@cache
def get_store() -> Store:
    """Return the vault's store; one per process, thread-safe."""
    storage = storages["vault"]
    if isinstance(storage, FileSystemStorage):
        from .local import LocalStore

        return LocalStore(Path(storage.location))
    from .s3 import S3Store

    return S3Store(storage)


def _forget_store(*, setting: str, **_: object) -> None:
    if setting == "STORAGES":
        get_store.cache_clear()


setting_changed.connect(_forget_store)
os.register_at_fork(after_in_child=get_store.cache_clear)  # connections to S3 are not shared with a child
