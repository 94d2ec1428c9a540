"""The first page: numbers that are true, for those who may see datasets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import AnnotatedImage, Annotation, Label, Statistics
from datasets.models import Dataset, DatasetStatus, Ingest, IngestStage, StorageRemoval
from deepcap.accounts.models import User
from deepcap.common.admin import list_of
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest

from .rows import fill_every_table, make_batches, make_deletion, make_upload
from .test_pages import look_at

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


def numbers(page) -> dict[str, object]:
    return {number.label: number.value for group in page.context["dashboard"]["groups"] for number in group["numbers"]}


def test_it_tells_what_there_is_what_waits_and_what_is_stuck(office, user):
    make_dataset(user, studies=1, size_bytes=3 * 1024**2)
    failed = make_dataset(user)
    make_ingest(failed, stage=IngestStage.READING, state=WorkState.FAILED)
    preparing = make_ingest(
        make_dataset(user, status=DatasetStatus.PREPARING), stage=IngestStage.READING, state=WorkState.RUNNING
    )
    make_batches(preparing, 3)
    Ingest.objects.filter(pk=preparing.pk).update(created_at=timezone.now() - timedelta(hours=2))
    make_upload(user)
    make_deletion(user)
    StorageRemoval.objects.create(prefix="uploads/old")

    page = office.get(INDEX)
    shown = numbers(page)
    assert (shown["Available"], shown["Preparation failed"], shown["Preparing"], shown["Uploading"]) == (1, 1, 1, 1)
    assert (shown["Batches that wait"], shown["Batches being read"], shown["Ingests given up"]) == (3, 0, 1)
    assert (shown["Open deletions"], shown["Open uploads"], shown["Ordered removals"]) == (1, 1, 1)
    assert shown["Oldest open ingest"] == "2 h 0 min"
    assert shown["Size of all datasets"] == "3 MB"
    ingests, deletions = page.context["dashboard"]["tables"]
    assert f">{failed.name}</a>" in ingests["rows"][0][0]
    assert len(deletions["rows"]) == 1


def test_every_number_that_is_a_link_leads_to_a_page(office):
    fill_every_table()
    for group in office.get(INDEX).context["dashboard"]["groups"]:
        for number in group["numbers"]:
            assert number.url is None or office.get(number.url).status_code == 200


def test_it_takes_few_queries_whatever_there_is(office):
    fill_every_table()
    office.get(INDEX)
    with CaptureQueriesContext(connection) as few:
        office.get(INDEX)
    fill_every_table(3)
    with CaptureQueriesContext(connection) as many:
        office.get(INDEX)
    assert len(many) <= len(few) <= 15


def test_a_name_is_not_taken_for_markup(office, user):
    dataset = make_dataset(user, "<script>alert(1)</script>")
    make_ingest(dataset, stage=IngestStage.READING, state=WorkState.FAILED)
    assert "<script>alert(1)" not in office.get(INDEX).content.decode()


def test_staff_who_may_not_see_datasets_are_told_no_numbers(client, user):
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    assert "dashboard" not in client.get(reverse("admin:index")).context


def test_the_side_menu_shows_what_a_person_may_see(client, user):
    look_at(user, Dataset)
    client.force_login(user)
    page = client.get(INDEX).content.decode()
    assert reverse("admin:datasets_dataset_changelist") in page
    assert reverse("admin:datasets_upload_changelist") + '"' not in page
    assert reverse("admin:accounts_user_changelist") + '"' not in page


def test_the_side_menu_leads_to_every_page_but_those_of_rows_under_others(office):
    page = office.get(INDEX).content.decode()
    missing = {model for model in admin.site._registry if f'href="{list_of(model)}"' not in page}
    assert missing == {AnnotatedImage, Annotation, Label, Statistics}
