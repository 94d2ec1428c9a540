"""What people do: rename, cancel, delete with the word, restore; what they are told; what a hostile name cannot do."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets.models import (
    Dataset,
    DatasetStatus,
    Deletion,
    DeletionStage,
    Ingest,
    IngestStage,
    Outcome,
    Problem,
    Upload,
)
from deepcap.accounts.models import Notification
from deepcap.accounts.services import notify
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def url_of(name, dataset):
    return reverse(f"dataset-{name}", args=[dataset.pk])


# --- renaming ---------------------------------------------------------------------------------------------------------


def test_a_dataset_gets_another_name_and_a_description(client, user):
    dataset = make_dataset(user, "Old", studies=1)
    answer = client.post(url_of("edit", dataset), {"name": " 新名字 ", "description": "Two\nlines"})
    assert answer.url == dataset.get_absolute_url()
    dataset.refresh_from_db()
    assert (dataset.name, dataset.description) == ("新名字", "Two\nlines")


def test_renaming_from_the_list_leads_back_to_the_same_list(client, user):
    dataset = make_dataset(user, "Old", studies=1)
    here = {"HX-Request": "true", "HX-Boosted": "true"}
    for current, expected in [
        ("http://testserver/datasets/?search=o&page=2", "/datasets/?search=o&page=2"),
        (f"http://testserver/datasets/{dataset.pk}/", dataset.get_absolute_url()),
        ("http://elsewhere.example/datasets/", dataset.get_absolute_url()),
    ]:
        answer = client.post(url_of("edit", dataset), {"name": "New"}, headers=here | {"HX-Current-URL": current})
        assert answer.url == expected


def test_a_name_that_is_taken_is_refused_in_the_dialog(htmx, user):
    make_dataset(user, "Taken", studies=1)
    dataset = make_dataset(user, "Free", studies=1)
    answer = htmx.post(url_of("edit", dataset), {"name": "Taken"})
    assert answer.status_code == 400
    assert answer.content.decode().count("already have a dataset with this name") == 1


def test_without_scripts_a_refusal_is_a_page(client, user):
    dataset = make_dataset(user, "Free", studies=1)
    answer = client.post(url_of("edit", dataset), {"name": "   "})
    assert answer.status_code == 400
    assert "needs a name" in answer.content.decode()
    assert "<!doctype html>" in answer.content.decode()


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_a_preparation_is_cancelled(client, user):
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    make_ingest(dataset, stage=IngestStage.READING, state=WorkState.RUNNING)
    assert "can be kept" in client.get(url_of("cancel", dataset)).content.decode()
    assert client.post(url_of("cancel", dataset)).status_code == 302
    assert Ingest.objects.get(dataset=dataset).cancelled_at is not None


def test_an_upload_is_given_up(client, user):
    dataset = make_dataset(user, status=DatasetStatus.UPLOADING)
    Upload.objects.create(
        dataset=dataset,
        filename="MR.zip",
        size=10,
        part_size=10,
        storage_key="uploads/1",
        created_by=user,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    assert client.post(url_of("cancel", dataset)).url == "/datasets/"
    assert not Dataset.objects.exists()


def test_what_is_not_under_way_cannot_be_cancelled(htmx, user):
    dataset = make_dataset(user, studies=1)
    answer = htmx.post(url_of("cancel", dataset))
    assert answer.status_code == 409
    assert "Nothing is being prepared" in answer.content.decode()


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_the_dialog_says_what_goes_and_asks_for_the_word(client, user):
    dataset = make_dataset(user, "Chest X-rays", studies=2, images=3)
    page = client.get(url_of("delete", dataset)).content.decode()
    for told in ("Chest X-rays", 'data-confirm-word="DELETE"', "<dt>2</dt>", "<dt>6</dt>", "cannot be undone"):
        assert told in page
    assert f'action="{url_of("delete", dataset)}"' in page


@pytest.mark.parametrize("word", ["delete", "DELETE ", "", "Delete", None])
def test_without_the_exact_word_nothing_goes(client, user, word):
    dataset = make_dataset(user, studies=1)
    answer = client.post(url_of("delete", dataset), {} if word is None else {"confirmation": word})
    assert answer.status_code == 400
    assert not Deletion.objects.exists()
    assert client.get(dataset.get_absolute_url()).status_code == 200


def test_with_the_word_the_dataset_is_off_the_list_at_once(client, user):
    dataset = make_dataset(user, "Gone", studies=1)
    answer = client.post(url_of("delete", dataset), {"confirmation": "DELETE"}, follow=True)
    assert answer.redirect_chain == [("/datasets/", 302)]
    receipt = reverse("deletion-receipt", args=[Deletion.objects.get().pk])
    assert f'<a href="{receipt}">Receipt</a>' in answer.content.decode()
    assert answer.context["rows"] == []


def test_a_receipt_is_live_until_it_is_done(client, user):
    dataset = make_dataset(user, "Gone", studies=2)
    client.post(url_of("delete", dataset), {"confirmation": "DELETE"})
    receipt = reverse("deletion-receipt", args=[Deletion.objects.get().pk])
    assert "every 2s" in client.get(receipt).content.decode()
    Deletion.objects.update(
        stage=DeletionStage.DONE,
        state=WorkState.DONE,
        counts={"studies": 2},
        objects_removed=4,
        bytes_removed=3 * 1024**2,
        finished_at=timezone.now(),
    )
    page = client.get(receipt).content.decode()
    assert "every 2s" not in page
    assert "3 MB" in page
    assert "Gone" in page


def test_within_the_restore_period_a_dataset_comes_back(client, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    dataset = make_dataset(user, "Missed", studies=1)
    assert "restored for 7 days" in client.get(url_of("delete", dataset)).content.decode()
    client.post(url_of("delete", dataset), {"confirmation": "DELETE"})
    deletion = Deletion.objects.get()
    restore = reverse("deletion-restore", args=[deletion.pk])
    assert restore in client.get(reverse("deletion-receipt", args=[deletion.pk])).content.decode()
    assert client.post(restore).url == dataset.get_absolute_url()
    assert client.get(dataset.get_absolute_url()).status_code == 200
    assert restore not in client.get(reverse("deletion-receipt", args=[deletion.pk])).content.decode()
    assert client.post(restore).status_code == 409


def test_what_is_shared_with_other_datasets_is_said_to_stay(client, user):
    first, second = make_dataset(user, studies=1), make_dataset(user, studies=1)
    size = first.images.get().blob.size
    Dataset.objects.update(size_bytes=size)
    assert first.images.get().blob == second.images.get().blob
    assert "other datasets show the same images" in client.get(url_of("delete", first)).content.decode()


# --- notifications ----------------------------------------------------------------------------------------------------


def test_the_bell_shows_what_is_unread_until_it_was_shown(client, htmx, user):
    assert "data-unread" not in htmx.get("/notifications/bell/").content.decode()
    notify(user=user, kind="dataset.available", text="Dataset “CT” is ready.", url="/datasets/1/")
    assert "data-unread" in htmx.get("/notifications/bell/").content.decode()
    panel = htmx.get("/notifications/").content.decode()
    assert 'href="/datasets/1/"' in panel
    assert "is ready" in panel
    answer = htmx.post("/notifications/read/", {"up_to": Notification.objects.get().pk})
    assert answer.status_code == 204
    assert "deepcap:notifications-read" in answer["HX-Trigger"]
    assert "data-unread" not in htmx.get("/notifications/bell/").content.decode()


def test_what_came_after_the_panel_was_shown_stays_unread(htmx, user):
    notify(user=user, kind="dataset.available", text="first")
    shown = Notification.objects.get().pk
    notify(user=user, kind="dataset.available", text="second")
    htmx.post("/notifications/read/", {"up_to": shown})
    assert [each.text for each in Notification.objects.filter(read_at=None)] == ["second"]


def test_only_what_is_new_since_the_last_look_becomes_a_toast(htmx, user):
    notify(user=user, kind="dataset.available", text="old")
    latest = Notification.objects.get().pk
    assert "HX-Trigger" not in htmx.get("/notifications/bell/")
    assert "HX-Trigger" not in htmx.get("/notifications/bell/", {"after": latest})
    notify(user=user, kind="dataset.preparation_failed", text="胸部 failed", url="/datasets/2/")
    answer = htmx.get("/notifications/bell/", {"after": latest})
    assert answer["HX-Trigger"].isascii()
    assert '"level": "warning"' in answer["HX-Trigger"]
    assert "/datasets/2/" in answer["HX-Trigger"]
    notify(user=user, kind="dataset.available", text="another")
    assert "2 new notifications" in htmx.get("/notifications/bell/", {"after": latest})["HX-Trigger"]


def test_nobody_is_shown_or_reads_the_notifications_of_others(stranger, user):
    notify(user=user, kind="dataset.available", text="Secret")
    assert "Secret" not in stranger.get("/notifications/").content.decode()
    stranger.post("/notifications/read/", {"up_to": 2**40})
    assert Notification.objects.get().read_at is None


# --- hostile names ----------------------------------------------------------------------------------------------------


def test_no_name_or_path_becomes_markup(client, htmx, user):
    dataset = make_dataset(
        user, HOSTILE, studies=1, status=DatasetStatus.PREPARATION_FAILED, status_detail=HOSTILE, description=HOSTILE
    )
    make_ingest(dataset, rejected=1, name_encoding=HOSTILE[:30])
    Problem.objects.create(dataset=dataset, path=HOSTILE, outcome=Outcome.REJECTED, code=HOSTILE[:60], message=HOSTILE)
    study = dataset.studies.get()
    study.name = study.description = HOSTILE
    study.save()
    study.images.update(path=HOSTILE)
    notify(user=user, kind="dataset.available", text=HOSTILE, url="/datasets/")
    pages = [
        "/datasets/",
        *(url_of(name, dataset) for name in ("detail", "report", "failure", "edit", "delete", "cancel")),
        study.get_absolute_url(),
        "/notifications/",
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        assert "alert(1)" in answer.content.decode(), page
        assert "<script>alert" not in answer.content.decode(), page
        assert "<img src=x" not in answer.content.decode(), page
    answer = client.post(url_of("delete", dataset), {"confirmation": "DELETE"}, follow=True)
    assert "<script>alert" not in answer.content.decode()
    receipt = client.get(reverse("deletion-receipt", args=[Deletion.objects.get().pk]))
    assert "<script>alert" not in receipt.content.decode()


def test_every_page_keeps_to_the_strict_policy(client, user):
    dataset = make_dataset(user, studies=1)
    for page in ("/datasets/", dataset.get_absolute_url(), dataset.studies.get().get_absolute_url()):
        answer = client.get(page)
        assert "'unsafe" not in answer["Content-Security-Policy"]
        assert " style=" not in answer.content.decode()
        assert "<script>" not in answer.content.decode()
