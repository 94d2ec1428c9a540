"""``/datasets/``: rows and their states, searching, filtering, sorting, pages; news of what is under way."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets.models import Dataset, DatasetStatus, IngestStage, Upload
from datasets.services.datasets import mark_opened
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest

URL = "/datasets/"

pytestmark = pytest.mark.django_db


def html(client, url=URL, **query):
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def names(client, **query):
    return [row.dataset.name for row in client.get(URL, query).context["rows"]]


def under_way(user, name, stage=IngestStage.READING, **counts):
    dataset = make_dataset(user, name, status=DatasetStatus.PREPARING)
    make_ingest(dataset, stage=stage, state=WorkState.RUNNING, **counts)
    return dataset


def test_an_empty_list_says_what_to_do(client):
    page = html(client)
    assert "Dataset List is empty" in page
    assert "data-upload-open" in page
    assert "<table" not in page


def test_a_search_without_a_hit_is_not_an_empty_list(client, user):
    make_dataset(user, "CT", studies=1)
    page = html(client, search="nothing of the kind")
    assert "Nothing found" in page
    assert "Dataset List is empty" not in page


def test_a_row_tells_the_columns_of_the_table(client, user):
    dataset = make_dataset(user, "Chest X-rays", studies=3, annotation_data_count=2)
    Dataset.objects.filter(pk=dataset.pk).update(
        covers=list(dataset.images.values_list("pk", flat=True)), study_count=1234
    )
    page = html(client)
    assert "Chest X-rays" in page
    assert "Available" in page
    assert "1,234" in page
    assert "Today" in page
    assert [f'src="/api/v1/images/{pk}/thumbnail/"' in page for pk in dataset.images.values_list("pk", flat=True)] == [
        True,
        True,
        True,
    ]


def test_an_image_without_thumbnail_is_not_asked_for(client, user):
    dataset = make_dataset(user, studies=1)
    image = dataset.images.get()
    Dataset.objects.filter(pk=dataset.pk).update(covers=[image.pk])
    image.blob.has_thumbnail = False
    image.blob.save()
    page = html(client)
    assert "/thumbnail/" not in page
    assert "thumb-none" in page


def test_a_dataset_is_new_until_it_is_opened(client, user):
    dataset = make_dataset(user, studies=1)
    assert "tag-new" in html(client)
    client.get(dataset.get_absolute_url())
    assert "tag-new" not in html(client)


def test_a_failed_row_opens_the_dialog_of_reasons(client, user):
    dataset = make_dataset(user, "Broken", status=DatasetStatus.PREPARATION_FAILED)
    page = html(client)
    assert "(preparation failed)" in page
    assert f'hx-get="/datasets/{dataset.pk}/failure/"' in page


def test_search_looks_for_a_part_of_the_name_in_any_case(client, user):
    make_dataset(user, "Chest X-rays", studies=1)
    make_dataset(user, "Liver CT", studies=1)
    make_dataset(user, "胸部X光", studies=1)
    assert names(client, search="x-RAY") == ["Chest X-rays"]
    assert names(client, search="胸部") == ["胸部X光"]
    assert names(client, search="%") == []
    assert names(client, search="\x00") == names(client)


def test_the_switch_hides_datasets_without_annotation_data(client, user):
    make_dataset(user, "with", studies=1, annotation_data_count=1)
    make_dataset(user, "without", studies=1)
    assert names(client, has_annotation_data="true") == ["with"]
    assert set(names(client)) == {"with", "without"}


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("", ["apple", "Banana", "cherry"]),
        ("name", ["apple", "Banana", "cherry"]),
        ("-name", ["cherry", "Banana", "apple"]),
        ("study_count", ["Banana", "cherry", "apple"]),
        ("-study_count", ["apple", "cherry", "Banana"]),
        ("-annotation_data_count", ["cherry", "apple", "Banana"]),
        ("created_at", ["cherry", "Banana", "apple"]),
        ("owner__password", ["apple", "Banana", "cherry"]),
    ],
)
def test_each_column_sorts(client, user, ordering, expected):
    for age, (name, studies, annotation) in enumerate([("apple", 3, 1), ("Banana", 1, 0), ("cherry", 2, 5)]):
        dataset = make_dataset(user, name, studies=studies, annotation_data_count=annotation)
        Dataset.objects.filter(pk=dataset.pk).update(created_at=timezone.now() - timedelta(days=age))
    assert names(client, **({"ordering": ordering} if ordering else {})) == expected


def test_pages_hold_five_ten_or_twenty_five_rows(client, user):
    for number in range(12):
        make_dataset(user, f"dataset {number}", studies=1)
    assert len(names(client)) == 10
    assert len(names(client, page="2")) == 2
    assert len(names(client, page_size="5", page="3")) == 2
    assert len(names(client, page_size="25")) == 12
    assert len(names(client, page_size="1000000")) == 10
    assert len(names(client, page="999")) == 2
    assert "1–10 of 12" in html(client)


def test_the_number_of_queries_does_not_grow_with_the_rows(client, user, django_assert_num_queries):
    def fill(count):
        for _ in range(count):
            dataset = make_dataset(user, studies=3)
            Dataset.objects.filter(pk=dataset.pk).update(covers=list(dataset.images.values_list("pk", flat=True)))
            make_ingest(dataset)

    fill(10)
    with django_assert_num_queries(6):
        client.get(URL, {"page_size": 25})
    fill(50)
    with django_assert_num_queries(6):
        client.get(URL, {"page_size": 25, "search": "dataset", "ordering": "name"})


# --- rows under way ---------------------------------------------------------------------------------------------------


def test_only_rows_under_way_are_asked_for_again(client, user):
    make_dataset(user, "settled", studies=1)
    assert "every 2s" not in html(client)
    dataset = under_way(user, "under way")
    assert f'hx-get="/datasets/rows/?id={dataset.pk}" hx-trigger="every 2s"' in html(client)


def test_a_row_under_way_tells_how_far_it_is(client, user):
    under_way(user, "MR", member_count=2000, done_members=1240, byte_count=200, done_bytes=100)
    page = html(client)
    assert 'value="62"' in page
    assert "1,240 of 2,000 files" in page


def test_an_upload_tells_its_bytes(client, user):
    dataset = make_dataset(user, "MR", status=DatasetStatus.UPLOADING)
    upload = Upload.objects.create(
        dataset=dataset,
        filename="MR.zip",
        size=4096,
        part_size=1024,
        storage_key="uploads/1",
        created_by=user,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    upload.parts.create(number=1, etag="a", size=1024)
    assert "1 KB of 4 KB" in html(client)


def test_a_row_is_exchanged_when_it_is_ready(htmx, user):
    dataset = under_way(user, "MR")
    answer = htmx.get(reverse("dataset-rows"), {"id": dataset.pk})
    assert f'id="dataset-{dataset.pk}-status" hx-swap-oob="true"' in answer.content.decode()
    assert "every 2s" in answer.content.decode()
    assert "HX-Trigger" not in answer

    Dataset.objects.filter(pk=dataset.pk).update(status=DatasetStatus.AVAILABLE, image_count=1, study_count=1)
    answer = htmx.get(reverse("dataset-rows"), {"id": dataset.pk})
    assert f'<tr id="dataset-{dataset.pk}" class="" hx-swap-oob="true">' in answer.content.decode()
    assert "every 2s" not in answer.content.decode()
    assert "deepcap:dataset-settled" in answer["HX-Trigger"]


def test_a_row_that_is_gone_is_taken_off(htmx):
    answer = htmx.get(reverse("dataset-rows"), {"id": ["4711", "not a number", "9" * 40]})
    assert answer.content.decode().count('hx-swap-oob="delete"') == 1
    assert 'id="dataset-4711"' in answer.content.decode()


def test_opened_is_remembered_for_each_person(client, user, operator):
    dataset = make_dataset(user, studies=1)
    mark_opened(dataset=dataset, user=operator)
    assert "tag-new" in html(client)


def test_recently_deleted_is_linked_while_something_can_be_restored(client, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    assert "Recently deleted" not in html(client)
    dataset = make_dataset(user, "Gone", studies=1)
    client.post(reverse("dataset-delete", args=[dataset.pk]), {"confirmation": "DELETE"})
    assert "Recently deleted" in html(client)
    assert "Gone" in html(client, url=reverse("deletion-list"))
