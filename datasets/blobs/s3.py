"""Objects in a bucket of any service that speaks S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os.path import commonprefix
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

from datasets.archives.sources import ByteSource, ByteStream

from .keys import check_key, is_family
from .local import by_folder
from .store import SizeMismatch, Store

PART_SIZE = 16 * 1024**2
MAX_PARTS = 9_000  # S3 allows 10,000
KEYS_PER_REMOVAL = 1_000


class S3Store(Store):
    """The key follows the location's prefix in the bucket.

    Writes are durable when S3 has answered. If-None-Match is not used: not every service honours it, and where it is
    honoured, a request that was repeated after a lost answer would be refused because of itself.
    """

    parallel_puts = 8

    def __init__(self, storage: S3Storage) -> None:
        self.bucket = storage.bucket_name
        self.location = f"{storage.location.strip('/')}/" if storage.location else ""
        self.client = storage.connection.meta.client
        self.signer = _signer(storage)

    def put(self, key: str, data: bytes | memoryview) -> None:
        self.client.put_object(**self._name(key), Body=bytes(data))

    def sync(self, keys: Iterable[str]) -> None:
        """Nothing to do."""

    def put_stream(self, key: str, stream: ByteStream, size: int) -> None:
        part_size = max(PART_SIZE, -(-size // MAX_PARTS))
        multipart_id = self.start_multipart(key)
        try:
            parts = []
            for number, start in enumerate(range(0, max(size, 1), part_size), start=1):
                data = _read_exactly(stream, min(part_size, size - start))
                parts.append((number, self._put_part(key, multipart_id, number, data)))
            if stream.read(1):
                raise SizeMismatch(f"{size} bytes were announced, more came.")
        except BaseException:
            self.abort_multipart(key, multipart_id)
            raise
        self.complete_multipart(key, multipart_id, parts)

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read(-1)

    def size(self, key: str) -> int:
        with _missing_is_not_found(key):
            return self.client.head_object(**self._name(key))["ContentLength"]

    @contextmanager
    def open(self, key: str, start: int = 0, end: int | None = None) -> Iterator[ByteStream]:
        with self._get(key, start, end) as stream:
            yield stream

    def source(self, key: str) -> ByteSource:
        with _missing_is_not_found(key):
            head = self.client.head_object(**self._name(key))
        return S3Source(self, key, size=head["ContentLength"], etag=head["ETag"])

    def keys(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.location + prefix)
        for page in pages:
            for found in page.get("Contents", ()):
                yield found["Key"].removeprefix(self.location), found["Size"]

    def remove(self, objects: Iterable[tuple[str, int]]) -> None:
        names = [{"Key": self._name(key)["Key"]} for key, _ in objects]
        for start in range(0, len(names), KEYS_PER_REMOVAL):
            batch = names[start : start + KEYS_PER_REMOVAL]
            answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise OSError(f"{len(errors)} objects could not be removed, the first: {errors[0]}")

    def remove_prefixes(self, prefixes: Sequence[str]) -> tuple[int, int]:
        for prefix in prefixes:
            if not is_family(prefix):
                self._abort_multiparts(prefix)
        found: dict[str, int] = {}
        for starts in by_folder(prefixes).values():
            listed = self.keys(commonprefix(starts))  # noqa: RUF071 - S3 lists by characters; once for a whole batch
            found.update(item for item in listed if item[0].startswith(starts))
        self.remove(found.items())
        return len(found), sum(found.values())

    def local_path(self, key: str) -> None:
        return None

    def signed_url(self, key: str, *, filename: str, content_type: str, expires: int) -> str:
        overrides = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition_header(True, filename),
        }
        return self.signer.generate_presigned_url("get_object", self._name(key) | overrides, ExpiresIn=expires)

    def start_multipart(self, key: str) -> str:
        return self.client.create_multipart_upload(**self._name(key))["UploadId"]

    def signed_part_url(self, key: str, multipart_id: str, number: int, size: int, *, expires: int = 3600) -> str:
        part = {"UploadId": multipart_id, "PartNumber": number, "ContentLength": size}
        return self.signer.generate_presigned_url("upload_part", self._name(key) | part, ExpiresIn=expires)

    def put_part(self, key: str, multipart_id: str, number: int, part_size: int, stream: ByteStream, size: int) -> str:
        data = _read_exactly(stream, size)
        if stream.read(1):
            raise SizeMismatch(f"{size} bytes were announced, more came.")
        return self._put_part(key, multipart_id, number, data)

    def list_parts(self, key: str, multipart_id: str) -> list[tuple[int, str, int]]:
        pages = self.client.get_paginator("list_parts").paginate(**self._name(key), UploadId=multipart_id)
        with _missing_is_not_found(key):
            return [
                (part["PartNumber"], part["ETag"].strip('"'), part["Size"])
                for page in pages
                for part in page.get("Parts", ())
            ]

    def complete_multipart(self, key: str, multipart_id: str, parts: Sequence[tuple[int, str]]) -> int:
        listed = [{"PartNumber": number, "ETag": f'"{etag}"'} for number, etag in parts]
        upload = self._name(key) | {"UploadId": multipart_id}
        try:
            self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
        except ClientError:  # services word it differently when there is no such upload: look what there is
            if not self.exists(key):
                self.list_parts(key, multipart_id)
                raise
        return self.size(key)

    def abort_multipart(self, key: str, multipart_id: str) -> None:
        with suppress(FileNotFoundError), _missing_is_not_found(key):
            self.client.abort_multipart_upload(**self._name(key), UploadId=multipart_id)

    def _abort_multiparts(self, prefix: str) -> None:
        """Forget what was begun in parts below ``prefix`` by somebody who died: S3 keeps parts until it is told."""
        paginator = self.client.get_paginator("list_multipart_uploads")
        for page in paginator.paginate(Bucket=self.bucket, Prefix=self.location + prefix):
            for begun in page.get("Uploads", ()):
                self.abort_multipart(begun["Key"].removeprefix(self.location), begun["UploadId"])

    def _name(self, key: str) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.location + check_key(key)}

    def _put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> str:
        with _missing_is_not_found(key):
            answer = self.client.upload_part(**self._name(key), UploadId=multipart_id, PartNumber=number, Body=data)
        return answer["ETag"].strip('"')

    @contextmanager
    def _get(self, key: str, start: int, end: int | None, **condition: str) -> Iterator[ByteStream]:
        """One GET of the bytes ``start`` to ``end``; the connection is given up if the reader leaves early."""
        if end is not None and end <= start:
            yield _Nothing()
            return
        if start or end is not None:
            condition["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        with _missing_is_not_found(key):
            body = self.client.get_object(**self._name(key), **condition)["Body"]
        try:
            yield _Body(body)
        finally:
            body.close()


class S3Source:
    """An object read by range, pinned to the ETag it had: a read of anything else is refused by S3 (412)."""

    def __init__(self, store: S3Store, key: str, *, size: int, etag: str) -> None:
        self._store, self._key, self._etag = store, key, etag
        self.size = size

    def read_range(self, start: int, length: int) -> bytes:
        with self.stream_range(start, start + length) as stream:
            return _read_exactly(stream, length)

    @contextmanager
    def stream_range(self, start: int, end: int) -> Iterator[ByteStream]:
        with self._store._get(self._key, start, end, IfMatch=self._etag) as stream:
            yield stream


class _Body:
    """botocore's body, with the file protocol's ``read(-1)``."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1, /) -> bytes:
        return self._body.read(None if size < 0 else size)


class _Nothing:
    def read(self, size: int = -1, /) -> bytes:
        return b""


def _read_exactly(stream: ByteStream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := stream.read(size - len(data))):
        data += piece
    if len(data) < size:
        raise SizeMismatch(f"{size} bytes were announced, {len(data)} came.")
    return bytes(data)


@contextmanager
def _missing_is_not_found(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            raise FileNotFoundError(f"No object {key}.") from error
        raise


def _signer(storage: S3Storage) -> Any:
    """Return the client that signs addresses for browsers, which may know the bucket under another name than we do."""
    public = settings.DEEPCAP_S3_PUBLIC_URL
    if not public or public == storage.endpoint_url:
        return storage.connection.meta.client
    return storage._create_session().client(
        "s3", region_name=storage.region_name, endpoint_url=public, config=storage.client_config
    )
