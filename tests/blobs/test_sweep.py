"""What nothing refers to goes, what something refers to stays, and receipts count each once."""

from datetime import timedelta

import pytest
from django.db import connection, models, transaction
from django.utils import timezone

from datasets.blobs.store import get_store
from datasets.blobs.sweep import (
    LATE_WRITES,
    clear_expired_intents,
    drain_removals,
    foreign_keys_into_blobs,
    referenced,
    settle_candidates,
    sweep,
)
from datasets.models import Blob, Deletion, Image, StorageRemoval, VaultCandidate, WriteIntent
from deepcap.common.bulk import insert_rows
from tests.blobs.vault import assert_sound, erase, ingest, make_study, start_writer, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def make_deletion():
    return Deletion.objects.create(target_type="datasets.dataset", target_id=1, target_name="x", requested_by_name="x")


def test_every_foreign_key_into_a_blob_is_protected():
    keys = list(foreign_keys_into_blobs())
    assert keys
    assert all(key.remote_field.on_delete is models.PROTECT for key in keys)


def test_references_are_read_from_the_tables():
    images = ingest(make_study(), [b"one", b"two"])
    Image.objects.filter(pk=images[0].pk).delete()

    assert referenced(Blob.objects.values_list("pk", flat=True)) == {images[1].blob_id}
    assert referenced([]) == set()


def test_a_shared_blob_stays_until_its_last_image_is_gone(store):
    ingest(make_study(), [b"shared", b"first's own"], path="first")
    ingest(make_study(), [b"shared"], path="second")

    erase(Image.objects.filter(path__startswith="first"))
    assert sweep()
    assert Blob.objects.count() == 1
    assert_sound()

    erase(Image.objects.all())
    assert sweep()
    assert not sweep()
    assert list(store.keys()) == []
    assert not VaultCandidate.objects.exists()
    assert not StorageRemoval.objects.exists()


def test_a_receipt_counts_objects_and_bytes_of_its_own_deletion_once(store):
    mine, other = (
        make_deletion(),
        Deletion.objects.create(target_type="datasets.dataset", target_id=2, target_name="y", requested_by_name="y"),
    )
    ingest(make_study(), [b"12345", b"123"], path="mine")
    ingest(make_study(), [b"1234567"], path="other")
    erase(Image.objects.filter(path__startswith="mine"), deletion=mine)
    erase(Image.objects.filter(path__startswith="mine"), deletion=mine)
    erase(Image.objects.filter(path__startswith="other"), deletion=other)

    assert settle_candidates(deletion_id=mine.pk) == 2
    assert drain_removals(deletion_id=mine.pk) == 2
    mine.refresh_from_db()
    assert (mine.objects_removed, mine.bytes_removed) == (4, 8)
    assert VaultCandidate.objects.filter(deletion=other).count() == 1
    assert len(list(store.keys())) == 2
    sweep()
    other.refresh_from_db()
    assert (other.objects_removed, other.bytes_removed) == (2, 7)


def test_objects_that_went_before_a_crash_are_still_counted(store):
    deletion = make_deletion()
    ingest(make_study(), [b"12345"])
    erase(Image.objects.all(), deletion=deletion)
    settle_candidates(deletion_id=deletion.pk)
    store.remove_prefixes([StorageRemoval.objects.get().prefix])

    drain_removals()
    deletion.refresh_from_db()
    assert (deletion.objects_removed, deletion.bytes_removed) == (2, 5)


def test_a_blob_touched_a_moment_ago_does_not_hold_up_the_others(settings):
    ingest(make_study(), [b"one", b"two", b"three"])
    erase(Image.objects.all())
    settings.DEEPCAP_BLOB_GRACE = timedelta(minutes=1)
    Blob.objects.exclude(pk=Blob.objects.earliest("pk").pk).update(touched_at=timezone.now() - timedelta(hours=1))

    assert settle_candidates(limit=1) == 1
    assert settle_candidates(limit=1) == 1
    assert settle_candidates(limit=1) == 0
    assert VaultCandidate.objects.count() == 1


def test_a_blob_with_a_second_candidate_is_decided_once():
    ingest(make_study(), [b"one"])
    pk = Blob.objects.get().pk
    erase(Image.objects.all())
    VaultCandidate.objects.bulk_create([VaultCandidate(blob_pk=pk), VaultCandidate(blob_pk=pk + 1)])

    assert settle_candidates() == 3
    assert StorageRemoval.objects.count() == 1


def test_an_intent_is_cleared_only_when_late_requests_cannot_arrive_any_more(store):
    write(start_writer(), [b"one"])
    WriteIntent.objects.update(expires_at=timezone.now() - LATE_WRITES / 2)
    assert clear_expired_intents() == 0

    WriteIntent.objects.update(expires_at=timezone.now() - LATE_WRITES * 2)
    assert clear_expired_intents() == 1
    sweep()
    assert list(store.keys()) == []


def test_removals_stay_and_step_back_when_the_storage_fails(monkeypatch):
    StorageRemoval.objects.create(prefix="blobs/aa/x/000001.")
    StorageRemoval.objects.create(prefix="blobs/aa/x/000002.")
    first, second = StorageRemoval.objects.order_by("pk")

    def fail(prefixes):
        raise OSError("the disk is gone")

    monkeypatch.setattr(get_store(), "remove_prefixes", fail, raising=True)
    with pytest.raises(OSError):
        drain_removals(limit=1)
    assert list(StorageRemoval.objects.order_by("attempts").values_list("pk", "attempts")) == [
        (second.pk, 0),
        (first.pk, 1),
    ]


def test_one_object_that_cannot_be_removed_does_not_keep_the_others(monkeypatch):
    store = get_store()
    prefixes = [f"blobs/aa/x/{number:06d}." for number in range(200)]
    StorageRemoval.objects.bulk_create(StorageRemoval(prefix=prefix) for prefix in prefixes)
    for prefix in prefixes:
        store.put(f"{prefix}orig", b"1")
    remove = store.remove

    def refuse_one(objects):
        for key, size in objects:
            if key == "blobs/aa/x/000007.orig":
                raise OSError("Operation not permitted")
            remove([(key, size)])

    monkeypatch.setattr(store, "remove", refuse_one)
    for _ in range(5):
        with pytest.raises(OSError):
            sweep()
    assert list(StorageRemoval.objects.values_list("prefix", flat=True)) == ["blobs/aa/x/000007."]

    monkeypatch.setattr(store, "remove", remove)
    sweep()
    assert list(store.keys()) == []
    assert not StorageRemoval.objects.exists()


def test_the_sweep_takes_no_more_queries_for_more_blobs(django_assert_max_num_queries):
    def sweep_after(count):
        ingest(make_study(), [b"%d" % number for number in range(count)])
        erase(Image.objects.all())
        with django_assert_max_num_queries(40) as queries:
            sweep()
        return len(queries)

    assert sweep_after(40) == sweep_after(2)


def test_objects_are_removed_outside_of_transactions(monkeypatch):
    ingest(make_study(), [b"one"])
    erase(Image.objects.all())
    store, remove, seen = get_store(), get_store().remove_prefixes, []

    def observe(prefixes):
        seen.append(transaction.get_connection().in_atomic_block)
        return remove(prefixes)

    monkeypatch.setattr(store, "remove_prefixes", observe)
    sweep()
    assert seen == [False]


def test_a_few_are_decided_without_reading_all_blobs():
    long_ago = timezone.now() - timedelta(days=1)
    rows = [(f"{number:064d}", 1, f"blobs/{number}", long_ago) for number in range(20_000)]
    insert_rows(Blob, ("digest", "size", "stem", "touched_at"), rows)
    insert_rows(VaultCandidate, ("blob_pk",), list(Blob.objects.values_list("pk")))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    statements = []

    def note(execute, sql, parameters, many, context):
        if not many and sql.startswith(("SELECT", "DELETE")):
            statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        assert settle_candidates(limit=500) == 500

    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    plans = []
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(f"{explain} {sql}", parameters)
            plans.append(str(cursor.fetchall()))
    assert len([plan for plan in plans if "datasets_blob" in plan or "U0" in plan]) >= 3
    assert not [plan for plan in plans if "Seq Scan on datasets_blob" in plan or "SCAN datasets_blob" in plan]
