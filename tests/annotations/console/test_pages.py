"""The page of annotation data (information, report, grid, progress, problems), and the card of a dataset's page."""

import pytest
from django.urls import reverse

from annotations.models import AnnotatedImage, AnnotationData, AnnotationDataStatus, AnnotationType
from deepcap.common.leases import WorkState
from tests.annotations.builders import Row, make_annotation_data, make_label_import, sample
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db


def html(client, url, query=None):
    answer = client.get(url, query or {})
    assert answer.status_code == 200
    return answer.content.decode()


def page_of(client, data, **query):
    return html(client, data.get_absolute_url(), query)


@pytest.fixture
def dataset(user):
    return make_dataset(user, "Chest X-rays", studies=5)


# --- the card of a dataset's page -------------------------------------------------------------------------------------


def card_of(client, dataset, **query):
    return html(client, reverse("annotation-data-card", args=[dataset.pk]), query)


def test_a_datasets_page_asks_for_the_card(client, dataset):
    make_ingest(dataset)
    assert f'hx-get="/annotation-data/datasets/{dataset.pk}/"' in html(client, dataset.get_absolute_url())


def test_the_card_of_a_dataset_without_annotation_data_says_how_to_get_some(client, dataset):
    page = card_of(client, dataset)
    assert "Annotation (0)" in page
    assert "There is no annotation data yet" in page
    assert "Upload labels" in page


def test_the_card_lists_annotation_data_newest_first(client, dataset):
    for name in ("first", "second"):
        make_annotation_data(dataset, AnnotationType.DETECTION, name=name)
    page = card_of(client, dataset)
    assert "Annotation (2)" in page
    assert page.index("second") < page.index("first")
    assert "Object Detection" in page
    page = card_of(client, dataset, ordering="created_at")
    assert page.index("first") < page.index("second")
    assert 'aria-sort="ascending"' in page


def test_the_card_has_five_rows_a_page_and_as_many_queries_for_any_number(
    client, dataset, django_assert_max_num_queries
):
    for number in range(12):
        make_annotation_data(dataset, name=f"set {number:02}", labels=["a", "b"] * (number == 0) or ["c"])
    with django_assert_max_num_queries(4):
        page = card_of(client, dataset, page_size=25)
    assert page.count("row-link") == 12
    page = card_of(client, dataset, page=3)
    assert page.count("row-link") == 2
    assert "11–12 of 12" in page


def test_a_row_that_is_being_imported_asks_for_its_status_until_it_is_done(client, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORTING)
    make_label_import(dataset, data, state=WorkState.RUNNING, stage="reading", total_bytes=100, done_bytes=40)
    url = f"/annotation-data/{data.pk}/progress/?row"
    assert f'hx-get="{url}"' in card_of(client, dataset)
    assert 'value="40" max="100"' in html(client, url)
    AnnotationData.objects.update(status=AnnotationDataStatus.AVAILABLE)
    answer = client.get(url)
    assert answer.status_code == 204
    assert "deepcap:dataset-settled" in answer.headers["HX-Trigger"]


# --- information ------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_annotation_data_are(client, dataset):
    data = make_annotation_data(dataset, name="Chest_label", source_detail={"name": "label.csv"}, training_task_count=2)
    page = page_of(client, data)
    for told in (
        "Chest_label",
        "Local Upload",
        "label.csv",
        "Single-label Classification",
        "5 Annotated Studies",
        "2 Tasks",
        "0 Inferences",
    ):
        assert told in page
    assert f'href="{reverse("training-task-create")}?annotation_data={data.pk}"' in page


def test_training_does_not_start_from_what_is_not_available(client, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORT_FAILED)
    page = page_of(client, data)
    assert "Training starts from annotation data that are available" in page
    assert f'?annotation_data={data.pk}"' not in page.split("annotation-grid")[0]


def test_an_import_under_way_shows_its_progress_and_no_report(client, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORTING)
    make_label_import(dataset, data, state=WorkState.RUNNING, stage="reading", total_bytes=1024, done_bytes=512)
    page = page_of(client, data)
    assert 'id="annotation-data-progress"' in page
    assert 'id="report"' not in page


def test_annotation_data_of_no_type_yet_are_shown(client, dataset):
    data = make_annotation_data(dataset, rows={}, status=AnnotationDataStatus.IMPORT_FAILED)
    AnnotationData.objects.update(annotation_type="")
    assert "Import failed" in page_of(client, data)


# --- the report -------------------------------------------------------------------------------------------------------


def test_single_label_shares_are_bars_and_a_table_with_a_total(client, dataset):
    data = make_annotation_data(dataset, labels=["Covid", "Normal"])
    bars = page_of(client, data)
    assert "60.00%" in bars
    assert '<rect class="chart-bar"' in bars
    table = page_of(client, data, view="table")
    assert '<rect class="chart-bar"' not in table
    assert "TOTAL" in table
    assert "100%" in table


@pytest.mark.parametrize(
    ("annotation_type", "tabs"),
    [
        (AnnotationType.SINGLE_LABEL, []),
        (AnnotationType.MULTI_LABEL, []),
        (AnnotationType.DETECTION, ["Box label", "Box-per-image", "Box-ratio", "Box-area", "Image label"]),
        (AnnotationType.SEGMENTATION, ["Label distribution", "Mask-coverage distribution"]),
    ],
)
def test_each_type_has_its_charts(client, dataset, annotation_type, tabs):
    data = make_annotation_data(dataset, annotation_type)
    page = client.get(data.get_absolute_url())
    assert [str(tab) for tab in page.context["tabs"].values()][: len(tabs)] == tabs or not tabs
    for key in page.context["tabs"]:
        for view in ("bars", "table"):
            assert client.get(data.get_absolute_url(), {"chart": key, "view": view}).status_code == 200


def test_positive_and_negative_shares_fill_the_axis(client, dataset):
    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["lung", "heart"])
    page = page_of(client, data)
    assert "Positive" in page
    assert "chart-rest" in page
    assert "<span>100%</span>" in page


def test_the_coverage_of_each_mask_class_can_be_chosen(client, dataset):
    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["lung", "heart"])
    answer = client.get(data.get_absolute_url(), {"chart": "mask_coverage", "coverage_of": "lung"})
    assert answer.context["chart"].chosen == "lung"
    assert sum(bar.count for bar in answer.context["chart"].bars) == 5


def test_advice_leads_to_the_images_it_speaks_of(client, dataset):
    images = list(dataset.images.all())
    rows = {image: [Row("a", 1)] for image in images[:4]} | {images[4]: []}
    data = make_annotation_data(dataset, AnnotationType.MULTI_LABEL, ["a"], rows)
    page = page_of(client, data)
    assert f'href="{data.get_absolute_url()}?nothing=1#annotation-grid"' in page
    assert [tile.has_nothing for tile in client.get(data.get_absolute_url(), {"nothing": "1"}).context["tiles"]] == [
        True
    ]


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_the_page_takes_as_many_queries_for_many_images_as_for_few(client, user, django_assert_max_num_queries):
    few = make_annotation_data(make_dataset(user, studies=2), AnnotationType.DETECTION)
    many = make_annotation_data(make_dataset(user, studies=60), AnnotationType.DETECTION)
    for data in (few, many):
        with django_assert_max_num_queries(6):
            page_of(client, data, page_size=100)


def test_the_grid_shows_badges_boxes_and_masks(client, dataset):
    badges = page_of(client, make_annotation_data(dataset, labels=["Covid", "Normal"]))
    assert badges.count('class="thumb-badge"') == 5
    boxes = page_of(client, make_annotation_data(dataset, AnnotationType.DETECTION, ["heart"]))
    assert boxes.count('<rect x="2.0" y="3.0" width="8.0" height="6.0" fill="none" stroke="#03a9f4"') == 5
    assert 'viewBox="0 0 20 16"' in boxes
    masks = page_of(client, make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["heart"]))
    assert masks.count('class="thumb-mask"') == 5


def test_only_the_frame_that_a_thumbnail_shows_is_drawn(client, dataset):
    image = dataset.images.first()
    type(image).objects.filter(pk=image.pk).update(frames=5)
    image.refresh_from_db()
    rows = {image: [Row("a", box=(frame, 0, 2, 2), frame=frame) for frame in range(6)]}
    data = make_annotation_data(dataset, AnnotationType.DETECTION, ["a"], rows)
    [tile] = client.get(data.get_absolute_url()).context["tiles"]
    assert [box.frame for box in tile.boxes] == [0, 3]


def tiles(client, data, **query):
    return [tile.row.position for tile in client.get(data.get_absolute_url(), query).context["tiles"]]


def test_the_grid_is_filtered_by_labels(client, dataset):
    data = make_annotation_data(dataset, labels=["a", "b", "c"])
    assert tiles(client, data, label="a") == [0, 3]
    assert tiles(client, data, label=["a", "c"]) == [0, 2, 3]
    assert tiles(client, data, label="no such label") == []
    assert tiles(client, data, label="") == [0, 1, 2, 3, 4]


def test_a_label_an_image_does_not_have_does_not_find_it(client, dataset):
    first, second, *_rest = dataset.images.order_by("study__position")
    data = make_annotation_data(
        dataset, AnnotationType.MULTI_LABEL, ["a"], {first: [Row("a", 1)], second: [Row("a", 0)]}
    )
    assert tiles(client, data, label="a") == [0]


def test_the_grid_is_filtered_by_problems(client, dataset):
    first, second, *_rest = dataset.images.order_by("study__position")
    rows = {first: [Row("a", box=(0, 0, 2, 2))], second: [Row("a", box=(0, 0, 9, 9))]}
    data = make_annotation_data(dataset, AnnotationType.DETECTION, ["a"], rows)
    assert tiles(client, data, problem="tiny_box") == [0]
    assert tiles(client, data, problem="no such problem") == []
    assert "1–1 of 1" in page_of(client, data, problem="tiny_box")


@pytest.mark.parametrize("query", [{}, {"label": "a"}, {"ordering": "-annotation_count"}, {"ordering": "-position"}])
def test_all_pages_together_show_every_image_once_there_and_back(client, user, query):
    dataset = make_dataset(user, studies=43)
    images = dataset.images.order_by("study__position")
    rows = {
        image: [sample(AnnotationType.DETECTION, "a") for _ in range(1 + number % 3)]
        for number, image in enumerate(images)
    }
    data = make_annotation_data(dataset, AnnotationType.DETECTION, ["a"], rows)
    there, url = [], f"{data.get_absolute_url()}?page_size=20&{'&'.join(f'{k}={v}' for k, v in query.items())}"
    while url:
        answer = client.get(url)
        there.append([tile.row.position for tile in answer.context["tiles"]])
        last, url = url, link(answer, "next")
    assert sorted(position for page in there for position in page) == list(range(43))
    assert [len(page) for page in there] == [20, 20, 3]
    back, url = [], last
    while url:
        answer = client.get(url)
        back.append([tile.row.position for tile in answer.context["tiles"]])
        url = link(answer, "prev")
    assert back[::-1] == there


def link(answer, rel):
    import html as entities
    import re

    found = re.search(rf'rel="{rel}" href="([^"]*)"', answer.content.decode())
    return answer.wsgi_request.path + entities.unescape(found[1]) if found else None


def test_a_broken_cursor_begins_at_the_start(client, dataset):
    data = make_annotation_data(dataset, labels=["a"])
    assert tiles(client, data, label="a", cursor="1; DROP TABLE", start="x") == [0, 1, 2, 3, 4]


def test_images_that_are_not_listed_are_not_shown(client, dataset):
    first = dataset.images.first()
    data = make_annotation_data(dataset, labels=["a"], rows={first: [Row("a", 1)]})
    assert [tile.row.image_id for tile in client.get(data.get_absolute_url()).context["tiles"]] == [first.pk]


def test_a_tile_leads_to_the_viewer_on_its_image_with_these_annotations(client, dataset):
    data = make_annotation_data(dataset, labels=["a"])
    row = AnnotatedImage.objects.first()
    url = f"/viewer/studies/{row.image.study_id}/?image={row.image_id}&amp;annotation_data={data.pk}"
    assert f'href="{url}"' in page_of(client, data)


def test_names_are_shown_and_not_obeyed(client, dataset):
    hostile = "<script>alert(1)</script>"
    data = make_annotation_data(dataset, labels=[hostile], name=hostile)
    for query in ({}, {"view": "table"}, {"label": hostile}):
        assert "<script>alert" not in page_of(client, data, **query)


# --- problems ---------------------------------------------------------------------------------------------------------

PROBLEMS = [
    {"code": "label_image_unknown", "row": 7, "column": "image", "message": "No such image.", "near": ["a/1.png"]},
    *({"code": "label_row_invalid", "row": row, "message": "Not a number."} for row in range(1, 120)),
]


def test_a_failed_import_shows_its_problems_by_reason_and_what_can_be_done(client, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORT_FAILED, status_detail="120 rows failed.")
    make_label_import(dataset, data, PROBLEMS)
    answer = client.get(data.get_absolute_url())
    assert [(group.code, group.count, len(group.examples)) for group in answer.context["problem_groups"]] == [
        ("label_row_invalid", 119, 4),
        ("label_image_unknown", 1, 1),
    ]
    page = answer.content.decode()
    for told in ("120 rows failed.", "119 rows", "a/1.png", "Keep what is good (5 images)", "Replace the file"):
        assert told in page


def test_nothing_can_be_kept_of_an_import_that_brought_nothing(client, dataset):
    data = make_annotation_data(dataset, rows={}, status=AnnotationDataStatus.IMPORT_FAILED)
    make_label_import(dataset, data, PROBLEMS[:1])
    assert "Keep what is good" not in page_of(client, data)


def test_the_whole_report_is_paged_and_filtered_by_reason(client, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORT_FAILED)
    make_label_import(dataset, data, PROBLEMS)
    url = reverse("annotation-data-problems", args=[data.pk])
    assert "51–100 of 120" in html(client, url, {"page": 2})
    page = html(client, url, {"code": "label_image_unknown"})
    assert "1–1 of 1" in page
    assert "Not a number." not in page


# --- masks ------------------------------------------------------------------------------------------------------------


def test_an_overlay_is_a_picture_that_is_sent_once(client, dataset):
    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["heart"])
    url = reverse("annotation-data-overlay", args=[data.pk, dataset.images.first().pk])
    answer = client.get(url)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert client.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get(reverse("annotation-data-overlay", args=[data.pk, 999_999])).status_code == 404
