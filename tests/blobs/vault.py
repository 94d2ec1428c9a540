"""A small ingest and a small deletion over the vault, as the real ones use it."""

import hashlib
import itertools
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from datasets.blobs.store import get_store
from datasets.blobs.writer import BlobVanished, BlobWriter
from datasets.models import Blob, Dataset, Image, Study, VaultCandidate

_numbers = itertools.count()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def make_study(name="study"):
    owner, _ = get_user_model().objects.get_or_create(username="owner")
    dataset = Dataset.objects.create(owner=owner, name=f"{name} {next(_numbers)}")
    return Study.objects.create(dataset=dataset, key=name, name=name)


def start_writer(minutes=5):
    return BlobWriter.start(expires_at=timezone.now() + timedelta(minutes=minutes))


def write(writer, contents):
    """Write what the vault does not know yet; every content gets a thumbnail."""
    by_digest = {digest(data): data for data in contents}
    known = writer.known(by_digest)
    for key, data in by_digest.items():
        if key not in known:
            writer.write(digest=key, data=data, thumbnail=b"thumbnail of " + data)
    writer.sync()
    return by_digest


def refer(study, blob_ids, path):
    return Image.objects.bulk_create(
        Image(
            dataset_id=study.dataset_id,
            study=study,
            blob_id=blob_id,
            path=f"{path}/{key}",
            format="PNG",
            width=16,
            height=16,
            bits_stored=8,
        )
        for key, blob_id in blob_ids.items()
    )


def ingest(study, contents, *, path="", tries=100):
    """Make an image of every content; as a batch does, all over again when a blob vanished."""
    for _ in range(tries):
        writer = start_writer()
        by_digest = write(writer, contents)
        try:
            with transaction.atomic():
                return refer(study, writer.commit(by_digest.keys()), path)
        except BlobVanished:
            writer.abandon()
    raise AssertionError("The batch never came through.")


def erase(images, *, deletion=None):
    """Erase images and leave their blobs to the sweep."""
    with transaction.atomic():
        found = list(images.select_for_update(skip_locked=True).values_list("pk", "blob_id"))
        Image.objects.filter(pk__in=[pk for pk, _ in found]).delete()
        VaultCandidate.objects.bulk_create(
            VaultCandidate(blob_pk=blob_id, deletion=deletion) for blob_id in sorted({blob_id for _, blob_id in found})
        )


def assert_sound():
    """Every row has its objects with the right bytes, and every object its row."""
    store, expected = get_store(), {}
    for blob in Blob.objects.all():
        data = store.read(blob.original_key)
        assert digest(data) == blob.digest
        assert len(data) == blob.size
        assert store.read(blob.thumbnail_key) == b"thumbnail of " + data
        expected |= {blob.original_key: len(data), blob.thumbnail_key: len(data) + 13}
    assert dict(store.keys()) == expected
