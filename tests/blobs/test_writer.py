"""Bytes before rows, rows of all or of none."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from datasets.blobs.sweep import sweep
from datasets.blobs.writer import BlobVanished
from datasets.models import Blob, Image, StorageRemoval, VaultCandidate, WriteIntent
from tests.blobs.vault import assert_sound, digest, erase, ingest, make_study, refer, start_writer, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_batch_becomes_blobs_under_stems_of_its_own():
    images = ingest(make_study(), [b"one", b"two"])

    stems = set(Blob.objects.values_list("stem", flat=True))
    assert len(images) == len(stems) == 2
    assert not any(digest(data) in stem for stem in stems for data in (b"one", b"two"))
    assert not WriteIntent.objects.exists()
    assert_sound()


def test_the_same_bytes_are_kept_once():
    ingest(make_study(), [b"one", b"two"])
    ingest(make_study(), [b"two", b"three"])

    assert Blob.objects.count() == 3
    assert Image.objects.count() == 4
    assert_sound()


def test_of_two_writers_of_the_same_bytes_the_slower_one_takes_its_objects_back(store):
    study, first, second = make_study(), start_writer(), start_writer()
    by_digest = write(first, [b"same"])
    write(second, [b"same"])
    assert len(list(store.keys())) == 4
    for writer, path in ((first, "a"), (second, "b")):
        with transaction.atomic():
            refer(study, writer.commit(by_digest), path)

    assert StorageRemoval.objects.count() == 1
    sweep()
    assert Blob.objects.count() == 1
    assert_sound()


def test_what_was_written_and_is_not_asked_for_goes_again():
    writer = start_writer()
    write(writer, [b"wanted", b"unwanted"])
    with transaction.atomic():
        refer(make_study(), writer.commit([digest(b"wanted")]), "")
    sweep()

    assert Blob.objects.get().digest == digest(b"wanted")
    assert_sound()


def test_a_rolled_back_commit_leaves_the_intent_and_may_be_repeated():
    study, writer = make_study(), start_writer()
    by_digest = write(writer, [b"one"])
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        writer.commit(by_digest)
        raise ZeroDivisionError
    assert not Blob.objects.exists()
    assert WriteIntent.objects.count() == 1

    with transaction.atomic():
        refer(study, writer.commit(by_digest), "")
    assert_sound()


def test_a_known_blob_that_was_swept_meanwhile_is_said_to_have_vanished():
    study = make_study()
    ingest(study, [b"one"])
    writer = start_writer()
    by_digest = write(writer, [b"one", b"two"])
    erase(Image.objects.all())
    sweep()

    with pytest.raises(BlobVanished), transaction.atomic():
        writer.commit(by_digest)
    assert not Blob.objects.exists()
    write(writer, [b"one"])
    with transaction.atomic():
        refer(study, writer.commit(by_digest), "")
    assert_sound()


def test_a_touched_blob_outlives_its_last_reference_for_the_grace(settings):
    settings.DEEPCAP_BLOB_GRACE = timedelta(minutes=1)
    ingest(make_study(), [b"one"])
    Blob.objects.update(touched_at=timezone.now() - timedelta(hours=1))
    erase(Image.objects.all())
    writer = start_writer()
    assert writer.known([digest(b"one")]).keys() == {digest(b"one")}
    sweep()

    assert VaultCandidate.objects.count() == 1
    with transaction.atomic():
        refer(make_study(), writer.commit([digest(b"one")]), "")
    assert_sound()


def test_a_writer_whose_intent_was_swept_cannot_commit(store):
    writer = start_writer()
    by_digest = write(writer, [b"one"])
    WriteIntent.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    sweep()

    with pytest.raises(BlobVanished), transaction.atomic():
        writer.commit(by_digest)
    with pytest.raises(BlobVanished):
        writer.extend(expires_at=timezone.now())
    assert list(store.keys()) == []


def test_nothing_is_written_after_the_intent_has_expired(store):
    writer = start_writer(minutes=-1)
    with pytest.raises(BlobVanished):
        writer.write(digest=digest(b"one"), data=b"one", thumbnail=None)
    assert list(store.keys()) == []


class Slow:
    """A stream of ``count`` bytes that takes three minutes for each, on a clock of the test's own."""

    def __init__(self, count, monkeypatch):
        self.left, self.now = count, timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def read(self, size=-1, /):
        self.now += timedelta(minutes=3)
        self.left -= 1
        return b"1" if self.left >= 0 else b""


def test_the_intent_of_a_long_stream_is_extended(store, monkeypatch):
    writer = start_writer(minutes=5)
    stream = Slow(20, monkeypatch)
    writer.write_stream(digest=digest(b"1" * 20), stream=stream, size=20)
    assert WriteIntent.objects.get().expires_at > timezone.now()

    writer.sync()
    with transaction.atomic():
        refer(make_study(), writer.commit([digest(b"1" * 20)]), "")
    assert store.read(Blob.objects.get().original_key) == b"1" * 20


def test_a_stream_whose_intent_was_swept_ends_and_leaves_nothing(store, monkeypatch):
    writer = start_writer(minutes=5)
    WriteIntent.objects.all().delete()
    with pytest.raises(BlobVanished):
        writer.write_stream(digest=digest(b"1" * 20), stream=Slow(20, monkeypatch), size=20)
    assert list(store.keys()) == []


def test_what_arrives_after_the_sweep_of_its_intent_is_removed_too(store):
    writer = start_writer()
    by_digest = write(writer, [b"one"])
    late = next(store.keys())[0]
    WriteIntent.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    sweep()
    store.put(late, b"one")

    with pytest.raises(BlobVanished), transaction.atomic():
        writer.commit(by_digest)
    writer.abandon()
    sweep()
    assert list(store.keys()) == []


def test_a_commit_whose_answer_was_lost_is_not_undone():
    writer = start_writer()
    by_digest = write(writer, [b"one"])

    def commit_and_lose_the_answer():
        with transaction.atomic():
            refer(make_study(), writer.commit(by_digest), "")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        commit_and_lose_the_answer()
    writer.abandon()
    assert not StorageRemoval.objects.exists()
    assert_sound()


def test_an_abandoned_batch_leaves_nothing_after_the_next_sweep(store):
    writer = start_writer()
    write(writer, [b"one"])
    writer.abandon()
    writer.abandon()
    assert len(list(store.keys())) == 2

    sweep()
    assert list(store.keys()) == []
    assert not WriteIntent.objects.exists()
    assert not StorageRemoval.objects.exists()


def test_abandoning_after_a_commit_does_nothing():
    writer = start_writer()
    by_digest = write(writer, [b"one"])
    with transaction.atomic():
        refer(make_study(), writer.commit(by_digest), "")
    writer.abandon()
    sweep()
    assert_sound()


def test_rows_before_synced_bytes_and_rows_outside_a_transaction_are_refused():
    writer = start_writer()
    writer.write(digest=digest(b"one"), data=b"one", thumbnail=None)
    with pytest.raises(RuntimeError), transaction.atomic():
        writer.commit([digest(b"one")])
    writer.sync()
    with pytest.raises(transaction.TransactionManagementError):
        writer.commit([digest(b"one")])
