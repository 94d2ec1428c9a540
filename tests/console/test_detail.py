"""``/datasets/{id}/`` and what hangs on it: information, raw data, report, progress, the study page."""

import pytest
from django.urls import reverse

from datasets.console.positions import PositionPaginator
from datasets.models import Dataset, DatasetOpening, DatasetStatus, Image, IngestStage, Outcome, Problem, Study
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db


def html(client, url, **query):
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def failed(user, *, images=1, rejected=2):
    dataset = make_dataset(
        user,
        studies=images,
        status=DatasetStatus.PREPARATION_FAILED,
        status_detail=f"{rejected} files could not be used.",
    )
    make_ingest(dataset, accepted=images, rejected=rejected, skipped=1)
    for number in range(rejected):
        Problem.objects.create(
            dataset=dataset,
            path=f"bad/{number:03}.dcm",
            outcome=Outcome.REJECTED,
            code="image_too_small",
            message="Small.",
        )
    Problem.objects.create(
        dataset=dataset, path="notes.txt", outcome=Outcome.SKIPPED, code="not_an_image", message="No."
    )
    return dataset


def test_the_page_tells_what_is_in_a_dataset(client, user):
    dataset = make_dataset(user, "Chest X-rays", studies=3, size_bytes=2 * 1024**2, description="From the clinic.")
    page = html(client, dataset.get_absolute_url())
    for told in ("Chest X-rays", "JPG/PNG", "0 Projects", "0 Tasks", "0 Inferences", "2 MB", "Raw Data (3 Studies)"):
        assert told in page
    assert "From the clinic." in page
    assert "not de-identified" in page


def test_opening_marks_as_opened_once(client, user):
    dataset = make_dataset(user, studies=1)
    client.get(dataset.get_absolute_url())
    client.get(dataset.get_absolute_url())
    assert DatasetOpening.objects.filter(dataset=dataset, user=user).count() == 1


def test_looking_at_another_persons_dataset_does_not_open_it(client, user, operator):
    dataset = make_dataset(user, studies=1)
    client.force_login(operator)
    client.get(dataset.get_absolute_url())
    assert not DatasetOpening.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_rows(client, user, django_assert_num_queries):
    small, large = make_dataset(user, studies=2), make_dataset(user, studies=60, images=2)
    for dataset in (small, large):
        make_ingest(dataset)
        client.get(dataset.get_absolute_url())
        with django_assert_num_queries(5):
            client.get(dataset.get_absolute_url(), {"page_size": 100})


@pytest.mark.parametrize(("encoding", "is_told"), [("big5", True), ("utf-8", False), ("ascii", False), ("", False)])
def test_an_unusual_encoding_of_names_is_told(client, user, encoding, is_told):
    dataset = make_dataset(user, studies=1)
    make_ingest(dataset, name_encoding=encoding)
    assert ("Encoding of file names" in html(client, dataset.get_absolute_url())) == is_told


def test_findings_count_duplicates_and_burned_in_text(client, user):
    dataset = make_dataset(user, studies=3)
    Image.objects.filter(pk=dataset.images.first().pk).update(burned_in_risk=True)
    Image.objects.filter(dataset=dataset).exclude(burned_in_risk=True).update(duplicate="bytes")
    page = html(client, reverse("dataset-findings", args=[dataset.pk]))
    assert page.count("<dt>") == 2
    assert "<dd>2</dd>" in page
    assert "1 image<" in page


# --- raw data ---------------------------------------------------------------------------------------------------------


def positions(page):
    return [study.position for study in page.object_list]


@pytest.mark.parametrize("per_page", [1, 7, 20, 100])
def test_pages_by_position_show_every_row_once(user, per_page):
    dataset = make_dataset(user, studies=43)
    paginator = PositionPaginator(Study.objects.filter(dataset=dataset), per_page, count=dataset.study_count)
    seen = [position for number in paginator.page_range for position in positions(paginator.page(number))]
    assert seen == list(range(43))
    assert paginator.page(paginator.num_pages).end_index() == 43


def test_any_page_is_one_query_that_counts_nothing(user, django_assert_num_queries):
    dataset = make_dataset(user, studies=30)
    paginator = PositionPaginator(Study.objects.filter(dataset=dataset), 10, count=1_000_000)
    with django_assert_num_queries(1) as queries:
        assert positions(paginator.page(3)) == list(range(20, 30))
    sql = queries.captured_queries[0]["sql"]
    assert "OFFSET" not in sql
    assert "COUNT" not in sql


def test_a_page_number_leads_to_its_studies(client, user):
    dataset = make_dataset(user, studies=45)
    context = client.get(dataset.get_absolute_url(), {"page": 3, "page_size": 20}).context
    assert positions(context["page_obj"]) == list(range(40, 45))
    assert positions(client.get(dataset.get_absolute_url(), {"page": "x"}).context["page_obj"])[0] == 0


def test_an_image_that_cannot_be_drawn_says_why(client, user):
    dataset = make_dataset(user, studies=1)
    image = dataset.images.get()
    Image.objects.filter(pk=image.pk).update(undrawable="decoder_missing")
    image.blob.has_thumbnail = False
    image.blob.save()
    assert "No decoder for its compression" in html(client, dataset.get_absolute_url())


def test_a_thumbnail_leads_to_the_viewer_on_its_image(client, user):
    study = make_dataset(user, studies=1, images=3).studies.get()
    study.cover = study.images.get(position=1)
    study.save()
    assert f'href="/viewer/studies/{study.pk}/?image={study.cover_id}"' in html(
        client, study.dataset.get_absolute_url()
    )


# --- failure, report, progress ----------------------------------------------------------------------------------------


def test_a_failed_dataset_says_why_and_offers_to_keep_what_is_good(client, user):
    dataset = failed(user, images=3)
    for url in (dataset.get_absolute_url(), reverse("dataset-failure", args=[dataset.pk])):
        page = html(client, url)
        assert "Keep the 3 images" in page
        assert "Keep 3 images" in page
        assert "bad/000.dcm" in page
        assert "Small." in page


def test_a_dataset_without_images_can_only_be_deleted(client, user):
    dataset = failed(user, images=0)
    for url in (dataset.get_absolute_url(), reverse("dataset-failure", args=[dataset.pk])):
        page = html(client, url)
        assert reverse("dataset-keep", args=[dataset.pk]) not in page
        assert reverse("dataset-delete", args=[dataset.pk]) in page


def test_the_dialog_shows_fifty_reasons_and_says_that_there_are_more(client, user):
    dataset = failed(user, rejected=60)
    page = html(client, reverse("dataset-failure", args=[dataset.pk]))
    assert page.count("bad/") == 50
    assert "The first 50 of 60." in page


def test_keeping_makes_a_dataset_available(client, user):
    dataset = failed(user)
    answer = client.post(reverse("dataset-keep", args=[dataset.pk]))
    assert answer.status_code == 302
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE


def test_what_cannot_be_kept_is_refused_with_a_sentence(htmx, user):
    dataset = make_dataset(user, studies=1)
    answer = htmx.post(reverse("dataset-keep", args=[dataset.pk]))
    assert answer.status_code == 409
    assert "nothing to keep" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_the_report_is_paged_filtered_and_searched(client, user):
    dataset = failed(user, rejected=25)
    url = reverse("dataset-report", args=[dataset.pk])

    def paths(**query):
        return [problem.path for problem in client.get(url, query).context["page_obj"].object_list]

    assert len(paths(page_size=20)) == 20
    assert paths(page_size=20, page=2) == [f"bad/{number:03}.dcm" for number in range(20, 25)] + ["notes.txt"]
    assert paths(outcome="skipped") == ["notes.txt"]
    assert paths(search="/007") == ["bad/007.dcm"]
    assert len(paths(outcome="nonsense")) == 26
    assert f"/api/v1/datasets/{dataset.pk}/report.csv" in html(client, url)


def test_progress_is_told_until_the_dataset_is_settled(htmx, user):
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    make_ingest(dataset, stage=IngestStage.READING, state=WorkState.RUNNING, member_count=10, done_members=4)
    url = reverse("dataset-progress", args=[dataset.pk])
    assert 'value="40"' in html(htmx, url)
    assert f'hx-get="{url}" hx-trigger="every 2s"' in html(htmx, dataset.get_absolute_url())

    Dataset.objects.update(status=DatasetStatus.PREPARATION_FAILED)
    answer = htmx.get(url)
    assert answer.status_code == 204
    assert "deepcap:dataset-settled" in answer["HX-Trigger"]
