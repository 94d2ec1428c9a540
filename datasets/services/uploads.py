"""Bytes on their way in: sessions of parts, in the shape of S3's multipart upload, and files in one request.

The dataset's row is the lock. Whoever ends an upload, by completing it, giving it up or deleting the dataset, does so
by moving the dataset out of ``uploading``; only one of them can. Objects are written before rows say that they are
there and removed after rows say that they are not, so that every line may be the last before a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.archives.sources import ByteStream
from datasets.blobs.keys import new_upload_key
from datasets.blobs.store import SizeMismatch, get_store
from datasets.errors import UploadRefused, WrongState
from datasets.ingest.expiry import discard
from datasets.models import Dataset, DatasetStatus, StorageRemoval, Upload, UploadPart, UploadState
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common import formatting

from .datasets import create_dataset, name_from_file
from .ingests import start_ingest
from .quota import require_room

SMALLEST_PART = 16 * 1024**2
MOST_PARTS = 9_000  # S3 allows 10,000
FILENAME_LENGTH = 300
PARTS_BETWEEN_LOOKS = 16


def open_upload(
    *, owner: User, filename: str, size: int, name: str | None = None, deidentify: bool | None = None
) -> Upload:
    """Return a session that waits for the parts of a file of ``size`` bytes; its dataset is listed as uploading.

    Raises UploadRefused, QuotaExceeded and ValueRefused; then nothing is left behind.
    """
    part_size = max(SMALLEST_PART, -(-size // MOST_PARTS))
    upload = _begin(owner=owner, filename=filename, size=size, part_size=part_size, name=name, deidentify=deidentify)
    try:
        upload.multipart_id = get_store().start_multipart(upload.storage_key)
    except BaseException:
        discard(upload)
        raise
    Upload.objects.filter(pk=upload.pk).update(multipart_id=upload.multipart_id)
    return upload


def upload_file(
    *,
    owner: User,
    stream: ByteStream,
    filename: str,
    size: int,
    name: str | None = None,
    deidentify: bool | None = None,
) -> Dataset:
    """Store the stream's ``size`` bytes and return the dataset that is made of them, queued.

    Raises UploadRefused, QuotaExceeded and ValueRefused; then, and when the storage fails, nothing is left behind.
    """
    upload = _begin(owner=owner, filename=filename, size=size, part_size=size, name=name, deidentify=deidentify)
    try:
        get_store().put_stream(upload.storage_key, stream, size)
    except SizeMismatch as error:
        discard(upload)
        raise UploadRefused(_("The file's length is not what was announced."), code="size_wrong") from error
    except BaseException as error:
        if not discard(upload) and isinstance(error, FileNotFoundError):
            raise _no_longer_open() from error  # given up meanwhile, and what was being written removed
        raise
    return _finish(upload)


def check_size(size: int) -> None:
    """Pass for a file that may be uploaded. Raises UploadRefused."""
    if size <= 0:
        raise UploadRefused(_("The file is empty."), code="file_empty")
    if size > settings.DEEPCAP_MAX_ZIP_BYTES:
        message = _("The file has %(size)s; at most %(most)s are accepted.") % {
            "size": formatting.size(size),
            "most": formatting.size(settings.DEEPCAP_MAX_ZIP_BYTES),
        }
        raise UploadRefused(message, code="zip_too_large", status=413)


def part_url(*, upload: Upload, number: int) -> str | None:
    """Return the address to PUT part ``number`` to; None where our own API takes it (:func:`receive_part`).

    Parts that go to S3 do not pass us: now and then S3 is asked which have arrived, for the progress that others see.
    """
    _require_open(upload)
    size = _size_of_part(upload, number)
    if number % PARTS_BETWEEN_LOOKS == 0:
        list_parts(upload=upload)
    return get_store().signed_part_url(upload.storage_key, upload.multipart_id, number, size)


def receive_part(*, upload: Upload, number: int, stream: ByteStream, size: int) -> UploadPart:
    """Store part ``number``, whose ``size`` bytes are read from ``stream``. Parts may arrive in any order and at once.

    A part that arrives again replaces the first one. Raises UploadRefused and WrongState.
    """
    _require_open(upload)
    expected = _size_of_part(upload, number)
    if size != expected:
        raise _wrong_size(number, expected)
    # Until the bytes are all there the part is not: a second arrival that breaks off may have overwritten the first.
    UploadPart.objects.filter(upload=upload, number=number).delete()
    try:
        etag = get_store().put_part(upload.storage_key, upload.multipart_id, number, upload.part_size, stream, size)
    except SizeMismatch as error:
        raise _wrong_size(number, expected) from error
    except FileNotFoundError as error:
        raise _no_longer_open() from error
    part = UploadPart(upload=upload, number=number, etag=etag, size=size)
    try:
        with transaction.atomic():
            _save_parts([part])
    except IntegrityError as error:
        raise _no_longer_open() from error  # the upload was given up meanwhile
    return part


def list_parts(*, upload: Upload) -> list[UploadPart]:
    """Return the parts that have arrived, in order. On S3 they are what S3 says, which is kept for the progress bar."""
    store = get_store()
    if upload.state == UploadState.OPEN and store.local_path(upload.storage_key) is None:
        try:
            found = store.list_parts(upload.storage_key, upload.multipart_id)
        except FileNotFoundError as error:
            raise _no_longer_open() from error
        _note_parts(upload, found)
    return list(upload.parts.order_by("number"))


def complete_upload(*, upload: Upload, parts: Sequence[tuple[int, str]]) -> Dataset:
    """Make the file out of its parts, given as (number, ETag), and return its dataset, queued.

    Completing what is complete returns the same dataset. Raises UploadRefused when a part is missing or not the one
    that was meant, and WrongState when the session was given up or has expired.
    """
    if upload.state != UploadState.OPEN:
        return upload.dataset
    _require_open(upload)
    _compare_parts(upload, given=parts, received=list_parts(upload=upload))
    listed = sorted((number, _bare(etag)) for number, etag in parts)
    try:
        size = get_store().complete_multipart(upload.storage_key, upload.multipart_id, listed)
    except FileNotFoundError as error:
        raise _no_longer_open() from error
    if size != upload.size:
        raise OSError(f"Upload {upload.pk} was put together to {size} bytes instead of {upload.size}.")
    return _finish(upload)


def abort_upload(*, upload: Upload, by: User) -> None:
    """Give an upload up: its parts and its dataset go. Raises WrongState when it is complete."""
    dataset = upload.dataset
    if not discard(upload):
        raise WrongState(_("The upload is complete: delete its dataset instead."))
    record(actor=by, action="upload.aborted", target=upload, name=dataset.name, bytes=upload.size)


@transaction.atomic
def _begin(
    *, owner: User, filename: str, size: int, part_size: int, name: str | None, deidentify: bool | None
) -> Upload:
    if deidentify:
        raise UploadRefused(
            _("De-identification is not available yet: remove what identifies patients before you upload."),
            code="deidentification_unavailable",
        )
    check_size(size)
    filename = filename.replace("\\", "/").rpartition("/")[2].replace("\x00", "")[-FILENAME_LENGTH:]
    require_room(user=owner, size=size)
    return Upload.objects.create(
        dataset=create_dataset(owner=owner, name=name_from_file(filename) if name is None else name),
        filename=filename,
        size=size,
        part_size=part_size,
        storage_key=new_upload_key(),
        created_by=owner,
        expires_at=timezone.now() + settings.DEEPCAP_UPLOAD_EXPIRES,
    )


def _finish(upload: Upload) -> Dataset:
    """Queue the dataset of an upload whose object is in the store; whoever comes second finds it queued.

    Raises WrongState when the upload was given up or its dataset deleted meanwhile. Then the object may have been put
    together after that had removed it: it is removed again.
    """
    if (dataset := _queue(upload)) is not None:
        return dataset
    with transaction.atomic():
        if not Upload.objects.select_for_update().filter(pk=upload.pk).exists():  # else it goes with its row
            StorageRemoval.objects.create(prefix=upload.storage_key, size=upload.size)
    raise _no_longer_open()


@transaction.atomic
def _queue(upload: Upload) -> Dataset | None:
    moved = Dataset.objects.filter(pk=upload.dataset_id, status=DatasetStatus.UPLOADING).update(
        status=DatasetStatus.QUEUED
    )
    if not moved:
        return Dataset.objects.filter(pk=upload.dataset_id).exclude(status=DatasetStatus.DELETING).first()
    Upload.objects.filter(pk=upload.pk).update(state=UploadState.COMPLETE)
    upload.state = UploadState.COMPLETE
    dataset = upload.dataset
    start_ingest(dataset=dataset)
    record(actor=upload.created_by, action="dataset.uploaded", target=dataset, bytes=upload.size)
    return dataset


def _require_open(upload: Upload) -> None:
    if upload.state != UploadState.OPEN:
        raise _no_longer_open()
    if upload.expires_at <= timezone.now():
        raise WrongState(_("The upload has expired: start it again."), code="upload_expired")


def _no_longer_open() -> WrongState:
    return WrongState(_("The upload is complete or was given up."), code="upload_not_open")


def _size_of_part(upload: Upload, number: int) -> int:
    if not 1 <= number <= upload.part_count:
        message = _("This upload has the parts 1 to %(last)d.") % {"last": upload.part_count}
        raise UploadRefused(message, code="part_unknown")
    return upload.size_of_part(number)


def _wrong_size(number: int, expected: int) -> UploadRefused:
    message = _("Part %(number)d must have exactly %(expected)d bytes.") % {"number": number, "expected": expected}
    return UploadRefused(message, code="part_size_wrong")


def _compare_parts(upload: Upload, *, given: Sequence[tuple[int, str]], received: Sequence[UploadPart]) -> None:
    """Pass if ``given`` names every part once, and each as it was received."""
    numbers = {number for number, _etag in given}
    if len(numbers) < len(given):
        raise UploadRefused(_("A part is named more than once."), code="part_repeated")
    arrived = {part.number: part for part in received}
    for number, etag in given:
        expected = _size_of_part(upload, number)
        part = arrived.get(number)
        if part is not None and part.size != expected:
            raise _wrong_size(number, expected)
        if part is not None and part.etag != _bare(etag):
            message = _("Part %(number)d is not the one that was received.") % {"number": number}
            raise UploadRefused(message, code="part_etag_wrong")
    missing = [number for number in range(1, upload.part_count + 1) if number not in arrived or number not in numbers]
    if missing:
        message = _("%(count)d of %(all)d parts are missing, the first: %(first)d.") % {
            "count": len(missing),
            "all": upload.part_count,
            "first": missing[0],
        }
        raise UploadRefused(message, code="parts_missing")


def _note_parts(upload: Upload, found: Iterable[tuple[int, str, int]]) -> None:
    parts = [UploadPart(upload=upload, number=number, etag=etag, size=size) for number, etag, size in found]
    with transaction.atomic():
        upload.parts.exclude(number__in=[part.number for part in parts]).delete()
        _save_parts(parts)


def _save_parts(parts: Sequence[UploadPart]) -> None:
    UploadPart.objects.bulk_create(
        parts,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["upload", "number"],
        update_fields=["etag", "size"],
    )


def _bare(etag: str) -> str:
    """Return an ETag as clients copy it out of a header, without quotes."""
    return etag.strip().removeprefix("W/").strip('"')
