"""Annotation data by the API: the fields of the contract, what may be asked for and what is refused."""

import csv
import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.importing import work
from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, LabelImport
from annotations.services.listings import Cursor, images_of, page_of_images
from datasets.models import Deletion
from tests.annotations.builders import Row, make_annotation_data, make_label_import, sample
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


@pytest.fixture
def dataset(user):
    return make_dataset(user, "Chest", studies=4)


def url_of(data, tail=""):
    return f"{ROOT}/annotation-data/{data.pk}/{tail}"


def file_of(text, name="label.csv"):
    return SimpleUploadedFile(name, text.encode())


def csv_of(answer):
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


# --- one and many -----------------------------------------------------------------------------------------------------


def test_annotation_data_have_the_fields_of_the_contract(api, dataset):
    data = make_annotation_data(dataset, name="Chest_label", source_detail={"name": "label.csv"})
    body = api.get(url_of(data)).json()
    expected = {
        "id": data.pk,
        "dataset": dataset.pk,
        "name": "Chest_label",
        "annotation_type": "single_label_classification",
        "source": {"kind": "local_upload", "name": "label.csv"},
        "study_count": 4,
        "image_count": 4,
        "annotation_count": 4,
        "status": "available",
        "usage": {"training_tasks": 0, "inference_jobs": 0, "annotation_projects": 0},
        "progress": {"stage": "done", "done": 0, "total": 0, "eta_seconds": 0},
        "report": {"problems": 0, "by_code": {}},
    }
    assert expected.items() <= body.items()
    assert [(label["name"], label["color"]) for label in body["labels"]] == [
        ("abnormal", "#03a9f4"),
        ("normal", "#00c853"),
    ]
    listed = api.get(f"{ROOT}/datasets/{dataset.pk}/annotation-data/").json()
    assert listed == {"count": 1, "next": None, "previous": None, "results": [body]}


def test_a_list_takes_as_many_queries_for_any_number(api, dataset, django_assert_max_num_queries):
    for _ in range(12):
        make_annotation_data(dataset)
    with django_assert_max_num_queries(7):
        assert len(api.get(f"{ROOT}/datasets/{dataset.pk}/annotation-data/").json()["results"]) == 12


def test_a_list_is_filtered_and_sorted(api, dataset):
    make_annotation_data(dataset, name="b heart")
    make_annotation_data(dataset, AnnotationType.DETECTION, name="a heart")
    make_annotation_data(dataset, name="c lung")

    def names(**query):
        url = f"{ROOT}/datasets/{dataset.pk}/annotation-data/"
        return [row["name"] for row in api.get(url, query).json()["results"]]

    assert names() == ["c lung", "a heart", "b heart"]
    assert names(ordering="name", search="HEART") == ["a heart", "b heart"]
    assert names(annotation_type="object_detection") == ["a heart"]
    assert names(status="importing") == []


def test_a_dataset_says_how_many_annotation_data_it_has(api, dataset):
    make_annotation_data(dataset)
    assert api.get(f"{ROOT}/datasets/{dataset.pk}/").json()["annotation_data_count"] == 1
    assert api.get(f"{ROOT}/datasets/?has_annotation_data=true").json()["count"] == 1
    assert api.get(f"{ROOT}/datasets/?has_annotation_data=false").json()["count"] == 0
    assert api.get(f"{ROOT}/datasets/{dataset.pk}/deletion-impact/").json()["annotation_data"] == 1


# --- import, keep, replace --------------------------------------------------------------------------------------------


def test_labels_are_imported_into_a_dataset(api, dataset):
    paths = list(dataset.images.order_by("study__position").values_list("path", flat=True))
    text = "".join(f"{path},{name}\n" for path, name in zip(paths, ["a", "b", "a"], strict=False))
    answer = api.post(f"{ROOT}/datasets/{dataset.pk}/annotation-data/", {"file": file_of(text)}, format="multipart")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["annotation_type"], body["name"]) == ("importing", "", "Chest_label")
    work.run(LabelImport.objects.get().pk)
    body = api.get(f"{ROOT}/annotation-data/{body['id']}/").json()
    assert (body["status"], body["annotation_type"]) == ("available", "single_label_classification")
    assert [(label["name"], label["image_count"]) for label in body["labels"]] == [("a", 2), ("b", 1)]


def test_bad_rows_are_reported_then_kept_out_or_the_file_is_replaced(api, dataset):
    paths = list(dataset.images.order_by("study__position").values_list("path", flat=True))
    text = f"{paths[0]},a\nno such image.png,b\n{paths[1]},b\n"
    answer = api.post(f"{ROOT}/datasets/{dataset.pk}/annotation-data/", {"file": file_of(text)}, format="multipart")
    data = AnnotationData.objects.get(pk=answer.json()["id"])
    work.run(data.label_import.pk)
    body = api.get(url_of(data)).json()
    assert (body["status"], body["report"]["by_code"]) == ("import_failed", {"label_image_unknown": 1})
    [problem] = api.get(url_of(data, "report/")).json()["results"]
    assert (problem["row"], problem["code"]) == (2, "label_image_unknown")
    assert [(row["row"], row["code"]) for row in csv_of(api.get(url_of(data, "report.csv")))] == [
        ("2", "label_image_unknown")
    ]
    better = {"file": file_of("".join(f"{path},a\n" for path in paths))}
    answer = api.put(url_of(data, "file/"), better, format="multipart")
    assert (answer.status_code, answer.json()["status"]) == (202, "importing")
    work.run(data.label_import.pk)
    body = api.get(url_of(data)).json()
    assert (body["status"], body["image_count"], body["report"]["problems"]) == ("available", 4, 0)
    assert api.post(url_of(data, "keep/")).json()["code"] == "wrong_state"


def test_what_was_good_is_kept(api, dataset):
    data = make_annotation_data(dataset, status=AnnotationDataStatus.IMPORT_FAILED)
    make_label_import(dataset, data, [{"code": "label_row_invalid", "message": "No."}])
    answer = api.post(url_of(data, "keep/"))
    assert (answer.status_code, answer.json()["status"]) == (202, "available")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"annotation_type": "poetry"}, "invalid"),
        ({"file_format": "poetry"}, "label_format_unknown"),
        ({"options": "[1]"}, "invalid"),
        ({"options": "{"}, "invalid"),
        ({"name": "\x07"}, "name_invalid"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(api, dataset, fields, code):
    answer = api.post(
        f"{ROOT}/datasets/{dataset.pk}/annotation-data/", {"file": file_of("a,b"), **fields}, format="multipart"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["detail"]
    assert not AnnotationData.objects.exists()


def test_a_file_is_needed(api, dataset):
    answer = api.post(f"{ROOT}/datasets/{dataset.pk}/annotation-data/", {}, format="multipart")
    assert answer.status_code == 400
    assert "file" in answer.json()["fields"]


# --- rename, delete, convert ------------------------------------------------------------------------------------------


def test_names_are_changed_and_are_unique_in_their_dataset(api, dataset):
    data, other = make_annotation_data(dataset), make_annotation_data(dataset, name="Taken")
    assert api.patch(url_of(data), {"name": "New 新"}, format="json").json()["name"] == "New 新"
    answer = api.patch(url_of(data), {"name": other.name}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "name_taken")


def test_deletion_needs_the_word_and_gives_a_receipt(api, dataset):
    data = make_annotation_data(dataset)
    impact = api.get(url_of(data, "deletion-impact/")).json()
    assert (impact["annotation_data"], impact["annotations"], impact["training_tasks"]) == (1, 4, 0)
    assert api.delete(url_of(data), {"confirmation": "delete"}, format="json").json()["code"] == "confirmation_required"
    answer = api.delete(url_of(data), {"confirmation": "DELETE"}, format="json")
    assert (answer.status_code, answer.json()["target_type"]) == (202, "annotations.annotationdata")
    assert api.get(url_of(data)).status_code == 404
    assert api.get(f"{ROOT}/datasets/{dataset.pk}/").json()["annotation_data_count"] == 0
    assert api.get(f"{ROOT}/deletions/{answer.json()['id']}/").status_code == 200
    assert Deletion.objects.count() == 1


def test_somebody_who_sees_but_does_not_own_is_forbidden(dataset, other_user, anonymous, monkeypatch):
    """Today only operators see what is not theirs; sharing will not change who may change things."""
    from annotations.models.annotation_data import AnnotationDataQuerySet

    data = make_annotation_data(dataset)
    monkeypatch.setattr(AnnotationDataQuerySet, "visible_to", lambda self, user: self)
    anonymous.force_login(other_user)
    for answer in (
        anonymous.patch(url_of(data), {"name": "Theirs"}, format="json"),
        anonymous.delete(url_of(data), {"confirmation": "DELETE"}, format="json"),
        anonymous.post(url_of(data, "keep/")),
        anonymous.post(url_of(data, "convert/"), {"annotation_type": "object_detection", "name": "x"}, format="json"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_the_owner")


def test_labels_are_merged_into_new_annotation_data(api, dataset):
    data = make_annotation_data(dataset)
    body = {"annotation_type": data.annotation_type, "name": "All", "merge": {"any": ["abnormal", "normal"]}}
    answer = api.post(url_of(data, "convert/"), body, format="json")
    assert answer.status_code == 202
    assert (answer.json()["name"], answer.json()["status"], answer.json()["source"]["kind"]) == (
        "All",
        "importing",
        "converted",
    )
    refused = api.post(url_of(data, "convert/"), body | {"annotation_type": "object_detection"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "wrong_type")


# --- statistics -------------------------------------------------------------------------------------------------------


def test_statistics_are_the_stored_numbers(api, dataset, django_assert_max_num_queries):
    data = make_annotation_data(dataset)
    with django_assert_max_num_queries(5):
        body = api.get(url_of(data, "statistics/")).json()
    assert body["label_distribution"] == [
        {"label": "abnormal", "color": "#03a9f4", "images": 2, "annotations": 2, "percentage": 50.0},
        {"label": "normal", "color": "#00c853", "images": 2, "annotations": 2, "percentage": 50.0},
    ]
    assert body["totals"]["images"] == 4
    rows = csv_of(api.get(url_of(data, "statistics.csv")))
    assert [(row["distribution"], row["label"], row["bin"], row["images"], row["percentage"]) for row in rows[:3]] == [
        ("label_distribution", "abnormal", "", "2", "50.0"),
        ("label_distribution", "normal", "", "2", "50.0"),
        ("label_distribution", "", "TOTAL", "4", "100.0"),
    ]
    assert {row["bin"]: int(row["count"]) for row in rows[3:]} == body["totals"]


@pytest.mark.parametrize("annotation_type", AnnotationType.values)
def test_every_number_of_the_statistics_is_in_the_table(api, dataset, annotation_type):
    data = make_annotation_data(dataset, annotation_type)
    numbers = api.get(url_of(data, "statistics/")).json()
    found = {row["distribution"] for row in csv_of(api.get(url_of(data, "statistics.csv")))}
    assert found == {key for key, value in numbers.items() if key != "advice" and value}


def test_before_there_are_statistics_the_stored_counts_are_told(api, dataset):
    data = make_annotation_data(dataset)
    before = api.get(url_of(data, "statistics/")).json()
    data.statistics.delete()
    now = api.get(url_of(data, "statistics/")).json()
    assert now["label_distribution"] == before["label_distribution"]
    assert now["totals"] == before["totals"]


def test_names_that_look_like_formulas_are_not_run_by_spreadsheets(api, dataset):
    data = make_annotation_data(dataset, labels=["=cmd()"])
    assert csv_of(api.get(url_of(data, "statistics.csv")))[0]["label"] == "'=cmd()"


# --- images -----------------------------------------------------------------------------------------------------------


def test_annotations_of_an_image_are_as_the_contract_writes_them(api, dataset):
    first, second, third, _unlisted = dataset.images.order_by("study__position")
    boxes = make_annotation_data(
        dataset,
        AnnotationType.DETECTION,
        ["heart"],
        {first: [Row("heart", box=(1, 2.5, 3, 4), score=0.5, frame=2)], second: []},
    )
    assert api.get(url_of(boxes, f"images/{first.pk}/")).json() == [
        {"label": "heart", "bbox": [1.0, 2.5, 3.0, 4.0], "score": 0.5, "frame": 2}
    ]
    assert api.get(url_of(boxes, f"images/{second.pk}/")).json() == []
    unlisted = api.get(url_of(boxes, f"images/{third.pk}/"))
    assert (unlisted.status_code, unlisted.json()["code"]) == (404, "image_not_listed")
    masks = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["heart"])
    [mask] = api.get(url_of(masks, f"images/{first.pk}/")).json()
    assert mask["segmentation"] == {"size": [16, 20], "counts": "0P:"}
    classes = make_annotation_data(dataset, AnnotationType.MULTI_LABEL, ["a"], {first: [Row("a", 0)]})
    assert api.get(url_of(classes, f"images/{first.pk}/")).json() == [{"label": "a", "value": 0}]


def test_images_are_listed_with_their_annotations_in_few_queries(api, user, django_assert_max_num_queries):
    data = make_annotation_data(make_dataset(user, studies=30), AnnotationType.DETECTION)
    with django_assert_max_num_queries(7):
        body = api.get(url_of(data, "images/"), {"page_size": 30}).json()
    assert (body["count"], len(body["results"]), body["next"]) == (30, 30, None)
    assert body["results"][0]["annotations"] == [{"label": "abnormal", "bbox": [2.0, 3.0, 8.0, 6.0]}]
    assert body["results"][0]["nothing_to_label"] is False


def test_images_are_filtered_and_counted_where_that_is_stored(api, dataset):
    data = make_annotation_data(dataset)
    body = api.get(url_of(data, "images/"), {"label": "normal"}).json()
    assert (body["count"], [row["position"] for row in body["results"]]) == (2, [1, 3])
    both = api.get(url_of(data, "images/"), {"label": ["normal", "abnormal"]}).json()
    assert "count" not in both
    assert len(both["results"]) == 4
    assert api.get(url_of(data, "images/"), {"nothing": "1"}).json()["results"] == []


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"ordering": "colour"}])
def test_what_a_list_does_not_know_is_refused(api, dataset, query):
    answer = api.get(url_of(make_annotation_data(dataset), "images/"), query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_pages_lead_to_each_other(api, dataset):
    data = make_annotation_data(dataset)
    first = api.get(url_of(data, "images/"), {"page_size": 3, "ordering": "-position"}).json()
    second = api.get(first["next"]).json()
    assert [row["position"] for row in first["results"] + second["results"]] == [3, 2, 1, 0]
    assert api.get(second["previous"]).json()["results"] == first["results"]


@given(counts=st.lists(st.integers(0, 3), min_size=1, max_size=12), size=st.integers(1, 5), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sorted_and_filtered_every_image_is_on_one_page(user, counts, size, data):
    dataset = make_dataset(user, studies=len(counts))
    images = dataset.images.order_by("study__position")
    rows = {image: [sample(AnnotationType.DETECTION, "a")] * times for image, times in zip(images, counts, strict=True)}
    made = make_annotation_data(dataset, AnnotationType.DETECTION, ["a"], rows)
    ordering = data.draw(st.sampled_from(["position", "-position", "annotation_count", "-annotation_count"]))
    pages, cursor = [], None
    while True:
        page = page_of_images(images_of(made), size=size, cursor=cursor, ordering=ordering)
        pages.append([(row.annotation_count, row.position) for row in page.rows])
        if page.next is None:
            break
        cursor = Cursor.parse(str(page.next))
    seen = [row for page in pages for row in page]
    assert sorted(position for _count, position in seen) == list(range(len(counts)))
    key = 1 if ordering.endswith("position") else 0
    values = [row[key] for row in seen]
    assert values == sorted(values, reverse=ordering.startswith("-"))


# --- export -----------------------------------------------------------------------------------------------------------


def test_labels_are_exported_with_and_without_images(api, dataset):
    data = make_annotation_data(dataset, name="Chest 新")
    answer = api.get(url_of(data, "export/"), {"file_format": "csv"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert b"abnormal" in b"".join(answer.streaming_content)
    answer = api.get(url_of(data, "export/"), {"file_format": "csv", "include_images": "true"})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert set(dataset.images.values_list("path", flat=True)) <= set(archive.namelist())


def test_an_unknown_export_format_is_refused(api, dataset):
    answer = api.get(url_of(make_annotation_data(dataset), "export/"), {"file_format": "poetry"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_format")


def test_options_reach_the_import(api, dataset):
    columns = {"image": "File", "label": "Finding"}
    fields = {"file": file_of("File,Finding\n", "x.csv"), "options": json.dumps({"columns": columns})}
    api.post(f"{ROOT}/datasets/{dataset.pk}/annotation-data/", fields, format="multipart")
    assert LabelImport.objects.get().options["read"] == {"columns": columns}
