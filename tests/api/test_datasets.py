"""``/api/v1/datasets/``: the contract's fields, filters and orders; uploads in one request."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from datasets.models import Dataset, DatasetOpening, DatasetStatus, Deletion, IngestStage, Problem, Upload
from datasets.services.datasets import mark_opened
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest, png, zip_of

URL = "/api/v1/datasets/"

pytestmark = pytest.mark.django_db

FIELDS = {
    "id": int,
    "name": str,
    "description": str,
    "owner": str,
    "status": str,
    "status_detail": str,
    "image_format": str,
    "study_count": int,
    "image_count": int,
    "size_bytes": int,
    "annotation_data_count": int,
    "created_at": str,
    "is_new": bool,
    "origin": str,
    "usage": dict,
    "progress": dict,
    "report": dict,
}


def names(api, **query):
    answer = api.get(URL, query)
    assert answer.status_code == 200, answer.json()
    return [dataset["name"] for dataset in answer.json()["results"]]


def upload(api, data=None, filename="Chest X-ray.zip", **fields):
    data = zip_of([("a.png", png())]) if data is None else data
    return api.post(URL, {"file": SimpleUploadedFile(filename, data), **fields}, format="multipart")


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["list", "detail"])
def test_a_dataset_has_the_fields_of_the_contract(api, user, how):
    dataset = make_dataset(user, studies=2, images=3)
    make_ingest(dataset, member_count=7, accepted=6, skipped=1)
    body = api.get(URL).json()["results"][0] if how == "list" else api.get(f"{URL}{dataset.pk}/").json()
    assert {name: type(body[name]) for name in FIELDS} == FIELDS
    assert body["usage"] == {
        "annotation_projects": 0,
        "annotation_jobs": 0,
        "training_tasks": 0,
        "inference_jobs": 0,
    }
    assert body["progress"] == {"stage": "done", "done": 7, "total": 7, "eta_seconds": 0}
    assert body["report"] == {"accepted": 6, "skipped": 1, "rejected": 0}
    assert (body["study_count"], body["image_count"], body["image_format"]) == (2, 6, "JPG/PNG")
    assert body["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("status", "ingest", "progress"),
    [
        ("queued", {"stage": IngestStage.INDEXING, "state": WorkState.PENDING}, ("queued", 0, 0, None)),
        ("queued", {"stage": IngestStage.INDEXING, "state": WorkState.RUNNING}, ("indexing", 0, 0, None)),
        (
            "preparing",
            {
                "stage": IngestStage.READING,
                "state": WorkState.PENDING,
                "member_count": 10,
                "done_members": 4,
                "byte_count": 1000,
                "done_bytes": 250,
            },
            ("reading", 4, 10, 300),
        ),
        (
            "preparing",
            {"stage": IngestStage.ARRANGING, "state": WorkState.RUNNING, "member_count": 10, "done_members": 10},
            ("arranging", 10, 10, None),
        ),
    ],
)
def test_progress_says_what_is_being_done_and_how_long_it_takes(api, user, status, ingest, progress):
    dataset = make_dataset(user, status=status)
    make_ingest(dataset, started_at=timezone.now() - timedelta(seconds=100), **ingest)
    stage, done, total, eta = progress
    body = api.get(f"{URL}{dataset.pk}/").json()["progress"]
    assert (body["stage"], body["done"], body["total"]) == (stage, done, total)
    assert body["eta_seconds"] == (eta if eta is None else pytest.approx(eta, abs=5))


def test_a_dataset_is_new_to_its_owner_until_they_open_it(api, user, operator, anonymous):
    dataset = make_dataset(user)
    anonymous.force_login(operator)
    assert api.get(f"{URL}{dataset.pk}/").json()["is_new"] is True
    assert anonymous.get(f"{URL}{dataset.pk}/").json()["is_new"] is False
    mark_opened(dataset=dataset, user=user)
    mark_opened(dataset=dataset, user=user)
    assert api.get(f"{URL}{dataset.pk}/").json()["is_new"] is False
    assert DatasetOpening.objects.count() == 1


def test_search_finds_part_of_a_name_in_any_case(api, user):
    for name in ("Brain MR", "brainstem", "Chest", "100 %"):
        make_dataset(user, name)
    assert set(names(api, search="BRAIN")) == {"Brain MR", "brainstem"}
    assert names(api, search="%") == ["100 %"]
    assert names(api, search="nothing") == []


def test_filters_select_by_annotation_data_and_status(api, user):
    make_dataset(user, "plain", studies=1)
    make_dataset(user, "labelled", studies=1, annotation_data_count=2)
    make_dataset(user, "failed", status=DatasetStatus.PREPARATION_FAILED)
    assert names(api, has_annotation_data="true") == ["labelled"]
    assert set(names(api, has_annotation_data="false")) == {"plain", "failed"}
    assert names(api, status="preparation_failed") == ["failed"]
    assert len(api.get(f"{URL}?status=available&status=preparation_failed").json()["results"]) == 3


@pytest.mark.parametrize("query", [{"status": "lost"}, {"ordering": "owner"}, {"ordering": "size_bytes"}])
def test_what_cannot_be_filtered_or_ordered_by_is_refused(api, query):
    answer = api.get(URL, query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == list(query)


def test_orders_run_both_ways_and_break_ties_by_id(api, user):
    now = timezone.now()
    for number, (name, studies, labelled) in enumerate([("b", 1, 0), ("a", 2, 2), ("c", 1, 1)]):
        make_dataset(user, name, studies=studies, annotation_data_count=labelled)
        Dataset.objects.filter(name=name).update(created_at=now + timedelta(minutes=number))
    assert names(api) == ["c", "a", "b"]
    assert names(api, ordering="created_at") == ["b", "a", "c"]
    assert names(api, ordering="name") == ["a", "b", "c"]
    assert names(api, ordering="study_count") == ["b", "c", "a"]
    assert names(api, ordering="annotation_data_count") == ["b", "c", "a"]
    for ordering in ("created_at", "name", "study_count", "annotation_data_count"):
        assert names(api, ordering=f"-{ordering}") == names(api, ordering=ordering)[::-1]


def test_pages_link_to_each_other(api, user):
    for number in range(5):
        make_dataset(user, f"{number}")
    first = api.get(URL, {"page_size": 2, "ordering": "name"}).json()
    assert (first["count"], first["previous"]) == (5, None)
    second = api.get(first["next"]).json()
    assert [dataset["name"] for dataset in second["results"]] == ["2", "3"]
    assert api.get(second["previous"]).json()["results"] == first["results"]
    assert len(api.get(URL, {"page_size": 10_000}).json()["results"]) == 5


def test_a_dataset_that_is_being_deleted_is_not_there(api, user):
    dataset = make_dataset(user, status=DatasetStatus.DELETING)
    assert names(api) == []
    assert api.get(f"{URL}{dataset.pk}/").status_code == 404


# --- uploading --------------------------------------------------------------------------------------------------------


def test_a_file_in_one_request_becomes_a_queued_dataset(api, store):
    data = zip_of([("a.png", png())])
    answer = upload(api, data, description="ignored")
    assert answer.status_code == 202
    assert (answer.json()["name"], answer.json()["status"], answer.json()["is_new"]) == ("Chest X-ray", "queued", True)
    assert store.read(Upload.objects.get().storage_key) == data


def test_a_file_too_large_for_memory_is_uploaded_as_well(api, store):
    data = bytes(3 * 1024**2)
    assert upload(api, data, "scan.DCM").json()["name"] == "scan"
    assert store.read(Upload.objects.get().storage_key) == data


def test_a_name_that_is_taken_gets_a_number(api):
    found = [upload(api).json()["name"] for _ in range(3)]
    found.append(upload(api, name=" Chest X-ray (2) ").json()["name"])
    assert found == ["Chest X-ray", "Chest X-ray (2)", "Chest X-ray (3)", "Chest X-ray (2) (2)"]


def test_the_name_given_wins_over_the_files(api):
    assert upload(api, name="胸部 X 光").json()["name"] == "胸部 X 光"


@pytest.mark.parametrize(
    ("filename", "name"),
    [("影像.zip", "影像"), (".zip", ".zip"), ("a.b.zip", "a.b"), ("x.nii.gz", "x.nii.gz"), ("IM0001", "IM0001")],
)
def test_the_name_comes_from_the_files(api, filename, name):
    assert upload(api, filename=filename).json()["name"] == name


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"data": b""}, 400, "file_empty"),
        ({"name": "x" * 201}, 400, "name_invalid"),
        ({"name": "a\nb"}, 400, "name_invalid"),
        ({"deidentify": "true"}, 400, "deidentification_unavailable"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_and_leaves_nothing(api, store, fields, status, code):
    answer = upload(api, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Dataset.objects.exists()
    assert list(store.keys()) == []


def test_an_upload_without_a_file_is_told_so(api):
    answer = api.post(URL, {"name": "x"}, format="multipart")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["file"]


def test_a_file_above_the_limit_is_refused_before_it_is_read(api, settings, monkeypatch):
    settings.DEEPCAP_MAX_ZIP_BYTES = 100_000

    def read(*_args, **_kwargs):
        raise AssertionError("The body was read.")

    monkeypatch.setattr("rest_framework.parsers.MultiPartParser.parse", read)
    answer = upload(api, bytes(200_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "zip_too_large")


def test_the_limit_is_the_files_not_the_requests(api, settings):
    settings.DEEPCAP_MAX_ZIP_BYTES = 1000
    assert upload(api, bytes(1000)).status_code == 202
    answer = upload(api, bytes(1001))
    assert (answer.status_code, answer.json()["code"]) == (413, "zip_too_large")


def test_not_deidentifying_may_be_said(api):
    assert upload(api, deidentify="false").json()["deidentified"] is False


# --- changing ---------------------------------------------------------------------------------------------------------


def test_name_and_description_can_be_changed(api, user):
    dataset = make_dataset(user, "old")
    answer = api.patch(f"{URL}{dataset.pk}/", {"name": " new ", "description": "why"}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["description"]) == ("new", "why")
    assert api.patch(f"{URL}{dataset.pk}/", {"description": ""}, format="json").json()["description"] == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "bell\a"}, "name"),
        ({"name": "taken"}, "name"),
        ({"description": "x" * 4001}, "description"),
    ],
)
def test_what_cannot_be_a_name_or_description_is_refused(api, user, change, field):
    make_dataset(user, "taken")
    dataset = make_dataset(user, "old")
    answer = api.patch(f"{URL}{dataset.pk}/", change, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    dataset.refresh_from_db()
    assert (dataset.name, dataset.description) == ("old", "")


def test_a_name_of_somebody_elses_dataset_is_free(api, user, other_user):
    make_dataset(other_user, "shared")
    dataset = make_dataset(user)
    assert api.patch(f"{URL}{dataset.pk}/", {"name": "shared"}, format="json").status_code == 200


def test_what_was_accepted_can_be_kept(api, user):
    dataset = make_dataset(user, studies=1, status=DatasetStatus.PREPARATION_FAILED)
    make_ingest(dataset, accepted=1, rejected=1)
    answer = api.post(f"{URL}{dataset.pk}/keep/")
    assert (answer.status_code, answer.json()["status"]) == (202, "available")
    answer = api.post(f"{URL}{dataset.pk}/keep/")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_a_preparation_can_be_cancelled(api, user):
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    make_ingest(dataset, stage=IngestStage.READING, state=WorkState.PENDING)
    answer = api.post(f"{URL}{dataset.pk}/cancel/")
    assert (answer.status_code, answer.json()["progress"]["stage"]) == (202, "arranging")


# --- deleting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["delete", "DELETE ", "", None, "Löschen"])
def test_any_other_word_deletes_nothing(api, user, word):
    dataset = make_dataset(user)
    answer = api.delete(f"{URL}{dataset.pk}/", {"confirmation": word}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "confirmation_required")
    assert api.get(f"{URL}{dataset.pk}/").status_code == 200


def test_a_deletion_without_a_body_deletes_nothing(api, user):
    dataset = make_dataset(user)
    answer = api.delete(f"{URL}{dataset.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (400, "confirmation_required")


def test_a_confirmed_deletion_answers_with_its_receipt(api, user):
    dataset = make_dataset(user, studies=2)
    answer = api.delete(f"{URL}{dataset.pk}/", {"confirmation": "DELETE"}, format="json")
    assert answer.status_code == 202
    receipt = answer.json()
    assert (receipt["status"], receipt["requested_by"], receipt["target_id"]) == ("running", user.username, dataset.pk)
    assert receipt["impact"]["studies"] == 2
    assert api.get(f"{URL}{dataset.pk}/").status_code == 404
    assert api.get(f"/api/v1/deletions/{receipt['id']}/").json() == receipt
    assert Deletion.objects.count() == 1


def test_the_impact_counts_what_would_go(api, user):
    dataset = make_dataset(user, studies=2, images=2)
    impact = api.get(f"{URL}{dataset.pk}/deletion-impact/").json()
    assert (impact["studies"], impact["images"], impact["annotation_data"]) == (2, 4, 0)
    assert set(impact) == {
        "studies",
        "images",
        "annotation_data",
        "annotations",
        "annotation_projects",
        "annotation_jobs",
        "training_tasks",
        "inference_jobs",
        "size_bytes",
        "shared_bytes",
    }


# --- report -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reported(user):
    dataset = make_dataset(user)
    rows = [
        ("skip/.DS_Store", "skipped", "junk", "Junk: left out."),
        ('a, "b".dcm', "rejected", "image_corrupt", "Breaks off."),
        ('=HYPERLINK("http://x")', "rejected", "format_unsupported", "+1"),
        ("\t@cmd", "rejected", "format_unsupported", "fine"),
    ]
    Problem.objects.bulk_create(
        Problem(dataset=dataset, path=path, outcome=outcome, code=code, message=message)
        for path, outcome, code, message in rows
    )
    return dataset


def test_the_report_lists_every_problem_rejected_first(api, reported):
    body = api.get(f"{URL}{reported.pk}/report/").json()
    assert body["count"] == 4
    assert [row["outcome"] for row in body["results"]] == ["rejected"] * 3 + ["skipped"]
    assert body["results"][0] == {
        "path": 'a, "b".dcm',
        "outcome": "rejected",
        "code": "image_corrupt",
        "message": "Breaks off.",
    }
    assert api.get(f"{URL}{reported.pk}/report/?outcome=skipped").json()["count"] == 1


def test_no_cell_of_the_csv_is_a_formula(api, reported):
    import csv

    answer = api.get(f"{URL}{reported.pk}/report.csv", headers={"accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report.csv"'
    rows = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))
    assert rows[0] == ["path", "outcome", "code", "message"]
    assert rows[1][0] == 'a, "b".dcm'
    assert rows[2] == ['\'=HYPERLINK("http://x")', "rejected", "format_unsupported", "'+1"]
    assert rows[3][0] == "'\t@cmd"


# --- queries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?search=a&has_annotation_data=false&ordering=-study_count"])
def test_a_list_asks_the_database_no_more_for_many_than_for_few(
    service, user, query, django_assert_max_num_queries, django_assert_num_queries
):
    make_ingest(make_dataset(user, studies=1))
    service.get(URL)
    with django_assert_max_num_queries(8) as few:
        service.get(URL + query)
    for _ in range(10):
        make_ingest(make_dataset(user, studies=2, images=2))
        make_dataset(user, status=DatasetStatus.UPLOADING)
    with django_assert_num_queries(len(few.captured_queries)):
        assert service.get(URL + query).json()["count"] == 21


@pytest.mark.parametrize("path", ["", "report/", "studies/", "report.csv"])
def test_a_detail_asks_the_database_no_more_for_much_than_for_little(
    api, user, path, django_assert_max_num_queries, django_assert_num_queries
):
    little, much = make_dataset(user, studies=1), make_dataset(user, studies=7, images=3)
    for dataset, count in ((little, 1), (much, 9)):
        make_ingest(dataset)
        Problem.objects.bulk_create(
            Problem(dataset=dataset, path=f"{n}", outcome="rejected", code="x", message="x") for n in range(count)
        )

    def read(dataset):
        answer = api.get(f"{URL}{dataset.pk}/{path}")
        assert answer.status_code == 200
        return b"".join(answer.streaming_content) if answer.streaming else answer.content

    with django_assert_max_num_queries(6) as few:
        read(little)
    with django_assert_num_queries(len(few.captured_queries)):
        read(much)
