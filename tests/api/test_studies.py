"""Studies and images, in display order, page by page."""

import pytest

from datasets.models import Study
from tests.builders import make_dataset, make_image, make_series, make_study

pytestmark = pytest.mark.django_db


def walk(api, url, link="next"):
    """Return the rows of all pages from ``url`` on."""
    pages = []
    while url:
        body = api.get(url).json()
        pages.append(body["results"])
        url = body[link]
    return pages


def test_a_study_has_the_fields_of_the_contract(api, user):
    dataset = make_dataset(user, studies=1)
    study = Study.objects.get()
    body = api.get(f"/api/v1/studies/{study.pk}/").json()
    assert body == {
        "id": study.pk,
        "dataset": dataset.pk,
        "name": "study 0",
        "position": 0,
        "study_instance_uid": "",
        "modality": "",
        "description": "",
        "image_count": 1,
        "thumbnail_url": f"http://testserver/api/v1/images/{study.cover_id}/thumbnail/",
    }
    assert api.get(f"/api/v1/datasets/{dataset.pk}/studies/").json()["results"] == [body]


def test_a_study_without_a_picture_has_no_thumbnail(api, user):
    study = make_study(make_dataset(user), images=0)
    assert api.get(f"/api/v1/studies/{study.pk}/").json()["thumbnail_url"] is None


def test_an_image_has_the_fields_of_the_contract(api, user):
    study = make_study(make_dataset(user), images=0)
    image = make_image(
        study,
        "a/b.dcm",
        b"not really",
        format="DICOM",
        series=make_series(study),
        instance_number=4,
        window_center=40.5,
    )
    body = api.get(f"/api/v1/images/{image.pk}/").json()
    expected = {
        "id": image.pk,
        "study": study.pk,
        "path": "a/b.dcm",
        "format": "DICOM",
        "width": 20,
        "height": 16,
        "frames": 1,
        "bits_stored": 8,
        "photometric_interpretation": "",
        "transfer_syntax_uid": "",
        "sop_instance_uid": "",
        "series_instance_uid": "1.2.3",
        "instance_number": 4,
        "window_center": 40.5,
        "window_width": None,
        "size_bytes": 10,
        "sha256": image.blob.digest,
        "thumbnail_url": f"http://testserver/api/v1/images/{image.pk}/thumbnail/",
        "file_url": f"http://testserver/api/v1/images/{image.pk}/file/",
    }
    assert expected.items() <= body.items()
    assert api.get(f"/api/v1/studies/{study.pk}/images/").json()["results"] == [body]


def test_images_come_in_display_order(api, user):
    study = make_study(make_dataset(user), images=0)
    for position in (2, 0, 1):
        make_image(study, f"{position}.png", position=position)
    rows = api.get(f"/api/v1/studies/{study.pk}/images/").json()["results"]
    assert [row["path"] for row in rows] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("page_size", [1, 3, 7, 50])
def test_every_row_is_on_exactly_one_page_both_ways(api, user, page_size):
    dataset = make_dataset(user, studies=7)
    Study.objects.filter(position__gt=3).update(position=3)  # as while the order is not made yet
    url = f"/api/v1/datasets/{dataset.pk}/studies/?page_size={page_size}"
    pages = walk(api, url)
    ids = [row["id"] for page in pages for row in page]
    assert ids == list(Study.objects.order_by("position", "pk").values_list("pk", flat=True))

    last = url
    while following := api.get(last).json()["next"]:
        last = following
    assert walk(api, last, "previous")[::-1] == pages


def test_a_page_counts_all_rows_from_the_stored_number(api, user):
    dataset = make_dataset(user, studies=3)
    body = api.get(f"/api/v1/datasets/{dataset.pk}/studies/?page_size=2").json()
    assert (body["count"], len(body["results"]), body["previous"]) == (3, 2, None)


@pytest.mark.parametrize("cursor", ["x", "1", "1.", "1.2.3", "--1.2", "9" * 40 + ".1"])
def test_what_is_no_cursor_is_refused(api, user, cursor):
    dataset = make_dataset(user, studies=1)
    answer = api.get(f"/api/v1/datasets/{dataset.pk}/studies/", {"cursor": cursor})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"])


def test_a_cursor_past_the_end_leads_back(api, user):
    dataset = make_dataset(user, studies=2)
    body = api.get(f"/api/v1/datasets/{dataset.pk}/studies/", {"cursor": "900.900"}).json()
    assert (body["results"], body["next"]) == ([], None)
    assert len(api.get(body["previous"]).json()["results"]) == 2


def test_images_ask_the_database_no_more_for_many_than_for_few(
    api, user, django_assert_max_num_queries, django_assert_num_queries
):
    dataset = make_dataset(user, studies=2)
    few, many = Study.objects.filter(dataset=dataset)
    for number in range(9):
        make_image(many, f"more/{number}.png", series=make_series(many, f"1.{number}"))
    with django_assert_max_num_queries(5) as queries:
        api.get(f"/api/v1/studies/{few.pk}/images/")
    with django_assert_num_queries(len(queries.captured_queries)):
        assert len(api.get(f"/api/v1/studies/{many.pk}/images/").json()["results"]) == 10
