"""Disagreements are found, and only disagreements; repair loses nothing that somebody may need."""

import io
import time

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from datasets.blobs import reconcile as reconciling
from datasets.blobs.keys import new_upload_key
from datasets.blobs.reconcile import Fault, reconcile, repair
from datasets.blobs.store import get_store
from datasets.blobs.sweep import sweep
from datasets.models import Blob, Image, StorageRemoval, Upload, UploadState, VaultCandidate
from tests.blobs.vault import assert_sound, erase, ingest, make_study, start_writer, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def run_command(*arguments):
    """Return the exit status and what was printed."""
    output = io.StringIO()
    try:
        call_command("reconcile_storage", *arguments, stdout=output)
    except SystemExit as exit_:
        return exit_.code, output.getvalue()
    return 0, output.getvalue()


def make_upload(state):
    study = make_study()
    return Upload.objects.create(
        dataset=study.dataset,
        filename="x.zip",
        size=3,
        part_size=3,
        state=state,
        storage_key=new_upload_key(),
        created_by=study.dataset.owner,
        expires_at="2030-01-01T00:00Z",
    )


def faults():
    return sorted((finding.fault, finding.key) for finding in reconcile())


def test_work_under_way_is_no_disagreement(store):
    ingest(make_study(), [b"kept", b"let go"], path="a")
    write(start_writer(), [b"not committed yet"])
    erase(Image.objects.filter(blob__size=6))
    open_upload, complete = make_upload(UploadState.OPEN), make_upload(UploadState.COMPLETE)
    store.start_multipart(open_upload.storage_key)
    store.put(complete.storage_key, b"zip")
    gone = Blob.objects.get(size=6)
    StorageRemoval.objects.create(prefix=f"{gone.stem}.")
    gone.delete()

    assert run_command() == (0, "0 found, 0 repaired.\n")


def test_objects_without_rows_are_reported_and_removed_on_repair(store):
    ingest(make_study(), [b"one"])
    strays = {"blobs/00/stray/000001.orig", "uploads/stray", "zzz", "blobs/stray-without-a-dot", "0"}
    for key in strays:
        store.put(key, b"123")

    status, output = run_command()
    assert status == 1
    assert f"{Fault.OBJECT_WITHOUT_ROW}: uploads/stray (3 bytes)\n" in output
    assert faults() == sorted((Fault.OBJECT_WITHOUT_ROW, key) for key in strays)
    status, output = run_command("--repair")
    assert (status, output.splitlines()[-1]) == (0, "5 found, 5 repaired.")
    assert run_command()[0] == 0
    assert_sound()


def test_an_upload_that_was_ingested_claims_nothing(store):
    store.put(make_upload(UploadState.INGESTED).storage_key, b"zip")
    assert [fault for fault, _ in faults()] == [Fault.OBJECT_WITHOUT_ROW]


def test_an_upload_without_its_bytes_is_reported():
    upload = make_upload(UploadState.COMPLETE)
    assert faults() == [(Fault.ROW_WITHOUT_OBJECT, upload.storage_key)]
    assert not any(repair(finding) for finding in reconcile())


def test_rows_without_objects_are_reported_and_those_that_are_needed_stay(store):
    ingest(make_study(), [b"needed", b"needless", b"drawn", b"all there"])
    needed, needless, drawn = (Blob.objects.get(size=len(data)) for data in (b"needed", b"needless", b"drawn"))
    Image.objects.filter(blob=needless).delete()
    store.remove([(needed.original_key, 0), (needless.original_key, 0), (drawn.thumbnail_key, 0)])

    keys = [needed.original_key, needless.original_key, drawn.thumbnail_key]
    assert faults() == sorted((Fault.ROW_WITHOUT_OBJECT, key) for key in keys)
    status, output = run_command("--repair")
    assert (status, output.splitlines()[-1]) == (1, "3 found, 2 repaired.")
    assert not Blob.objects.get(pk=drawn.pk).has_thumbnail
    assert VaultCandidate.objects.get().blob_pk == needless.pk
    sweep()
    assert faults() == [(Fault.ROW_WITHOUT_OBJECT, needed.original_key)]


def test_an_object_cut_short_is_reported(store):
    ingest(make_study(), [b"one"])
    blob = Blob.objects.get()
    store.local_path(blob.original_key).write_bytes(b"on")
    assert faults() == [(Fault.WRONG_SIZE, blob.original_key)]


def test_what_changed_while_both_sides_were_read_is_no_disagreement(store, monkeypatch):
    ingest(make_study(), [b"goes"])
    suspects = reconciling._suspects

    def suspects_before_a_change(*arguments):
        store.put("uploads/goes-meanwhile", b"123")
        found = list(suspects(*arguments))
        store.remove([("uploads/goes-meanwhile", 3)])
        erase(Image.objects.all())
        sweep()
        return iter(found)

    blob = Blob.objects.get()
    store.local_path(blob.original_key).rename(store.root / "elsewhere")
    monkeypatch.setattr(reconciling, "_suspects", suspects_before_a_change)
    assert faults() == [(Fault.OBJECT_WITHOUT_ROW, "elsewhere")]


def test_a_look_that_may_not_take_long_ends_in_time(store):
    store.put("uploads/stray", b"123")
    assert list(reconcile(until=time.monotonic() - 1)) == []
    assert len(list(reconcile(until=time.monotonic() + 3600))) == 1


NAMES = st.sampled_from(["blobs/a/1", "blobs/a/10", "blobs/a-/1", "blobs/a/1-", "blobs/a0/1", "blobs/b/1", "a", "z/1"])


@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.dictionaries(NAMES, st.booleans()),
    keys=st.sets(st.tuples(NAMES, st.sampled_from(["", ".orig", ".thumb.jpg"]))),
)
def test_reading_side_by_side_finds_exactly_the_difference(settings, rows, keys):
    """Whatever characters the names consist of: the order of keys is not the order of stems."""
    Blob.objects.all().delete()
    store = get_store()
    store.remove(list(store.keys()))
    Blob.objects.bulk_create(
        Blob(digest=stem, stem=stem, size=1, has_thumbnail=has_thumbnail) for stem, has_thumbnail in rows.items()
    )
    present = {stem + suffix for stem, suffix in keys}
    for key in present:
        store.put(key, b"1")

    needed = {f"{stem}.orig" for stem in rows} | {f"{stem}.thumb.jpg" for stem in rows if rows[stem]}
    strays = {key for key in present if not any(key.startswith(f"{stem}.") for stem in rows)}
    assert faults() == sorted(
        [(Fault.ROW_WITHOUT_OBJECT, key) for key in needed - present]
        + [(Fault.OBJECT_WITHOUT_ROW, key) for key in strays]
    )
