"""The vault's pages, and the report of what storage and tables disagree about."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets.admin import vault
from datasets.models import Blob, Image
from deepcap.common.admin import list_of
from tests.builders import make_dataset, make_image, png

pytestmark = pytest.mark.django_db

RECONCILE = "admin:datasets_blob_reconcile"


def test_a_blob_tells_how_many_rows_refer_to_it(office, user):
    for _ in range(2):
        study = make_dataset(user, studies=1).studies.get()
        make_image(study, "again.png", png(0))
    alone = Blob.objects.create(digest="f" * 64, size=1, stem="blobs/ff/f/000001")
    counts = {blob.pk: blob.reference_count for blob in office.get(list_of(Blob)).context["cl"].result_list}
    assert counts == {Image.objects.first().blob_id: 4, alone.pk: 0}


def test_a_blob_is_found_by_its_whole_digest(office, user):
    make_dataset(user, studies=1, images=3)
    digest = Image.objects.last().blob.digest
    for term, found in ((digest, 1), (digest.upper(), 1), (digest[:12], 0)):
        assert len(office.get(list_of(Blob), {"q": term}).context["cl"].result_list) == found


def test_storage_and_tables_that_agree_are_reported_to_agree(office, user):
    make_dataset(user, studies=1)
    assert "reported" not in office.get(reverse(RECONCILE)).context
    page = office.post(reverse(RECONCILE))
    assert page.context["complete"]
    assert page.context["table"]["rows"] == []
    assert "agree" in page.content.decode()


def test_strays_and_losses_are_shown_and_nothing_is_changed(office, user, store):
    make_dataset(user, studies=1, images=2)
    lost = Blob.objects.last()
    store.remove([(lost.original_key, lost.size)])
    store.put("blobs/ee/stray/000001.orig", b"stray")
    rows = office.post(reverse(RECONCILE)).context["table"]["rows"]
    assert {(fault, key) for fault, key, _size in rows} == {
        ("row without object", lost.original_key),
        ("object without row", "blobs/ee/stray/000001.orig"),
    }
    assert store.exists("blobs/ee/stray/000001.orig")
    assert Blob.objects.filter(pk=lost.pk).exists()


def test_a_report_stops_at_its_number_of_findings_and_says_so(office, store, monkeypatch):
    monkeypatch.setattr(vault, "FINDINGS", 2)
    for number in range(3):
        store.put(f"blobs/ee/stray/00000{number}.orig", b"stray")
    context = office.post(reverse(RECONCILE)).context
    assert (len(context["table"]["rows"]), context["complete"]) == (2, False)


def test_a_report_stops_when_its_time_is_up_and_says_so(office, user, store, monkeypatch):
    make_dataset(user, studies=1)
    store.put("blobs/ee/stray/000001.orig", b"stray")
    monkeypatch.setattr(vault, "SECONDS", -1)
    page = office.post(reverse(RECONCILE))
    assert (page.context["table"]["rows"], page.context["complete"]) == ([], False)
    assert "Not everything" in page.content.decode()


def test_only_operators_compare(client, user):
    user.is_staff = True
    user.save()
    client.force_login(user)
    assert client.post(reverse(RECONCILE)).status_code == 403
