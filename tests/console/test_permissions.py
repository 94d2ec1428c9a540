"""Who gets to see what: a stranger is told nothing, and who is not signed in is sent to sign in."""

import pytest
from django.urls import reverse

from datasets.console.urls import urlpatterns
from datasets.models import Dataset, DatasetStatus
from datasets.services.deletions import delete_dataset
from deepcap.accounts.urls import urlpatterns as account_patterns
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db

OF_A_DATASET = ["detail", "progress", "findings", "report", "failure", "edit", "cancel", "delete"]
ACTIONS = ["edit", "keep", "cancel", "delete"]


def url_of(name, dataset):
    return reverse(f"dataset-{name}", args=[dataset.pk])


@pytest.mark.parametrize("pattern", [*urlpatterns, *account_patterns], ids=lambda pattern: pattern.name)
def test_who_is_not_signed_in_is_sent_to_sign_in(anonymous, pattern):
    url = reverse(pattern.name, args=[1] if "pk" in str(pattern.pattern) else [])
    for answer in (anonymous.get(url), anonymous.post(url)):
        assert answer.status_code == 302
        assert answer.url == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("name", OF_A_DATASET)
def test_an_owner_opens_every_page_of_a_dataset(client, user, name):
    dataset = make_dataset(user, studies=2)
    make_ingest(dataset)
    assert client.get(url_of(name, dataset)).status_code == (204 if name == "progress" else 200)


@pytest.mark.parametrize("name", OF_A_DATASET)
def test_a_stranger_finds_none_of_them(stranger, user, name):
    dataset = make_dataset(user, studies=2)
    make_ingest(dataset)
    assert stranger.get(url_of(name, dataset)).status_code == 404


@pytest.mark.parametrize("name", ACTIONS)
def test_a_stranger_changes_nothing(stranger, user, name):
    dataset = make_dataset(user, "Mine", studies=1, status=DatasetStatus.PREPARATION_FAILED)
    make_ingest(dataset, rejected=1)
    answer = stranger.post(url_of(name, dataset), {"confirmation": "DELETE", "name": "Theirs"})
    assert answer.status_code == 404
    dataset.refresh_from_db()
    assert (dataset.name, dataset.status) == ("Mine", DatasetStatus.PREPARATION_FAILED)


def test_a_stranger_finds_neither_study_nor_receipt(stranger, client, user):
    dataset = make_dataset(user, studies=1)
    study = dataset.studies.get()
    assert client.get(study.get_absolute_url()).status_code == 200
    assert stranger.get(study.get_absolute_url()).status_code == 404
    receipt = reverse("deletion-receipt", args=[delete_dataset(dataset=dataset, by=user, confirmation="DELETE").pk])
    assert client.get(receipt).status_code == 200
    assert stranger.get(receipt).status_code == 404
    assert stranger.post(f"{receipt}restore/").status_code == 404


def test_a_dataset_that_is_being_deleted_is_not_found(client, user):
    dataset = make_dataset(user, studies=1)
    study = dataset.studies.get()
    Dataset.objects.update(status=DatasetStatus.DELETING)
    assert client.get(dataset.get_absolute_url()).status_code == 404
    assert client.get(study.get_absolute_url()).status_code == 404


def test_rows_of_strangers_are_not_told(stranger, user):
    dataset = make_dataset(user, "Secret", status=DatasetStatus.PREPARING)
    answer = stranger.get(reverse("dataset-rows"), {"id": dataset.pk}).content.decode()
    assert "Secret" not in answer


def test_an_operator_sees_whose_a_dataset_is(client, operator, user):
    make_dataset(user, "Chest X-rays", studies=1)
    assert "of Ada" not in client.get("/datasets/").content.decode()
    client.force_login(operator)
    answer = client.get("/datasets/").content.decode()
    assert "Chest X-rays" in answer
    assert "of Ada" in answer


@pytest.mark.parametrize("name", ["dataset-keep", "deletion-restore", "notifications-read"])
def test_what_changes_something_is_not_done_by_a_link(client, user, name):
    args = [] if name == "notifications-read" else [make_dataset(user, studies=1).pk]
    assert client.get(reverse(name, args=args)).status_code == 405


def test_the_root_leads_to_the_list(client):
    answer = client.get("/", follow=True)
    assert answer.redirect_chain == [("/datasets/", 302)]
    assert answer.status_code == 200
