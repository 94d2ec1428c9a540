"""An upload in parts, over HTTP, where the parts come to us."""

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from datasets.blobs.store import get_store
from datasets.blobs.sweep import sweep
from datasets.deletion import run as run_deletion
from datasets.ingest.expiry import discard, expire_uploads
from datasets.ingest.publish import drop_upload
from datasets.models import Dataset, Ingest, StorageRemoval, Upload, UploadPart
from datasets.services.deletions import delete_dataset
from datasets.services.uploads import open_upload, receive_part

URL = "/api/v1/uploads/"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small_parts")]


def start(api, size, **extra):
    answer = api.post(URL, {"filename": "Chest.zip", "size": size, **extra}, format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()


def put(api, upload, number, data):
    return api.put(f"{URL}{upload['id']}/parts/{number}/", data, content_type="application/octet-stream")


def complete(api, upload, parts):
    body = {"parts": [{"number": number, "etag": etag} for number, etag in parts]}
    return api.post(f"{URL}{upload['id']}/complete/", body, format="json")


def split(data, part_size):
    return {1 + start // part_size: data[start : start + part_size] for start in range(0, len(data), part_size)}


def send(api, data, *, order=None):
    """Return an upload all of whose parts were sent, and its (number, ETag) pairs."""
    upload = start(api, len(data))
    parts = split(data, upload["part_size"])
    etags = {number: put(api, upload, number, parts[number]).headers["ETag"] for number in order or parts}
    return upload, sorted(etags.items())


def stored(upload):
    return get_store().read(Upload.objects.get(pk=upload["id"]).storage_key)


def test_a_file_in_parts_becomes_a_queued_dataset(api, user):
    data = os.urandom(2500)
    upload, parts = send(api, data)
    answer = complete(api, upload, parts)

    assert answer.status_code == 202
    dataset = answer.json()
    assert (dataset["name"], dataset["status"], dataset["owner"]) == ("Chest", "queued", user.username)
    assert dataset["progress"] == {"stage": "queued", "done": 0, "total": 0, "eta_seconds": None}
    assert stored(upload) == data
    assert Ingest.objects.get().dataset_id == dataset["id"]


def test_the_answer_to_a_start_says_all_a_client_needs(api):
    upload = start(api, 2500)
    assert (upload["part_size"], upload["part_count"], upload["parts"]) == (1024, 3, [])
    assert upload["dataset"] is None
    assert upload["expires_at"] > timezone.now().isoformat()
    url = api.get(f"{URL}{upload['id']}/parts/2/").json()["url"]
    assert url == f"http://testserver{URL}{upload['id']}/parts/2/"


def test_the_etag_of_a_part_is_its_md5(api):
    upload = start(api, 1500)
    answer = put(api, upload, 2, b"x" * 476)
    assert answer.headers["ETag"] == f'"{hashlib.md5(b"x" * 476).hexdigest()}"'
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 6000), chance=st.randoms(use_true_random=False))
def test_parts_may_arrive_in_any_order_and_more_than_once(api, size, chance):
    data = chance.randbytes(size)
    order = [*range(1, 1 + -(-size // 1024))]
    order += chance.choices(order, k=2)
    chance.shuffle(order)
    upload, parts = send(api, data, order=order)
    assert complete(api, upload, parts).status_code == 202
    assert stored(upload) == data


def test_parts_may_arrive_at_the_same_time(user):
    data = os.urandom(20 * 1024)
    upload = open_upload(owner=user, filename="a.zip", size=len(data))

    def receive(part):
        try:
            number, piece = part
            receive_part(upload=upload, number=number, stream=io.BytesIO(piece), size=len(piece))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(receive, split(data, 1024).items()))
    client = APIClient()
    client.force_login(user)
    parts = list(UploadPart.objects.values_list("number", "etag"))
    assert complete(client, {"id": upload.pk}, parts).status_code == 202
    assert stored({"id": upload.pk}) == data


def test_an_upload_is_resumed_from_the_parts_that_have_arrived(api):
    data = os.urandom(4000)
    upload = start(api, len(data))
    parts = split(data, 1024)
    put(api, upload, 3, parts[3])
    put(api, upload, 1, parts[1])

    state = api.get(f"{URL}{upload['id']}/").json()
    assert [(part["number"], part["size"]) for part in state["parts"]] == [(1, 1024), (3, 1024)]
    missing = set(parts) - {part["number"] for part in state["parts"]}
    etags = {part["number"]: part["etag"] for part in state["parts"]}
    etags |= {number: put(api, upload, number, parts[number]).json()["etag"] for number in missing}
    assert complete(api, upload, etags.items()).status_code == 202
    assert stored(upload) == data


def test_progress_counts_the_bytes_that_have_arrived(api):
    upload = start(api, 4000)
    put(api, upload, 2, b"x" * 1024)
    progress = api.get(f"/api/v1/datasets/{upload['dataset_id']}/").json()["progress"]
    assert (progress["stage"], progress["done"], progress["total"]) == ("uploading", 1024, 4000)


@pytest.mark.parametrize("size", [1, 1023, 1025])
def test_a_part_of_another_size_is_refused(api, size):
    upload = start(api, 3000)
    answer = put(api, upload, 1, b"x" * size)
    assert (answer.status_code, answer.json()["code"]) == (400, "part_size_wrong")
    assert not UploadPart.objects.exists()


@pytest.mark.parametrize("number", [0, 4, 10**9])
def test_a_part_that_the_file_does_not_have_is_refused(api, number):
    upload = start(api, 3000)
    for answer in (put(api, upload, number, b"x"), api.get(f"{URL}{upload['id']}/parts/{number}/")):
        assert (answer.status_code, answer.json()["code"]) == (400, "part_unknown")


def test_a_part_that_breaks_off_has_not_arrived_even_if_it_had_before(api, user):
    upload = start(api, 1024)
    put(api, upload, 1, b"x" * 1024)
    row = Upload.objects.get()
    with pytest.raises(Exception, match="exactly 1024 bytes"):
        receive_part(upload=row, number=1, stream=io.BytesIO(b"y" * 500), size=1024)
    assert api.get(f"{URL}{upload['id']}/").json()["parts"] == []


def test_a_file_with_a_part_missing_is_not_put_together(api):
    upload, parts = send(api, b"x" * 3000, order=[1, 3])
    answer = complete(api, upload, [*parts, (2, "0" * 32)])
    assert (answer.status_code, answer.json()["code"]) == (400, "parts_missing")
    assert "the first: 2" in answer.json()["detail"]
    assert Dataset.objects.get().status == "uploading"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda parts: parts[:-1], "parts_missing"),
        (lambda parts: [*parts, parts[0]], "part_repeated"),
        (lambda parts: [*parts, (9, "x")], "part_unknown"),
        (lambda parts: [(1, "0" * 32), *parts[1:]], "part_etag_wrong"),
        (lambda parts: [], "invalid"),
    ],
)
def test_a_wrong_list_of_parts_is_refused_and_can_be_put_right(api, change, code):
    upload, parts = send(api, b"x" * 3000)
    answer = complete(api, upload, change(parts))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert complete(api, upload, parts).status_code == 202


def test_completing_twice_returns_the_same_dataset(api):
    upload, parts = send(api, b"x" * 3000)
    first, second = complete(api, upload, parts), complete(api, upload, parts)
    assert (second.status_code, second.json()["id"]) == (202, first.json()["id"])
    assert Ingest.objects.count() == Dataset.objects.count() == 1


def test_completing_at_the_same_time_starts_one_ingest(user):
    upload = open_upload(owner=user, filename="a.zip", size=10)
    part = receive_part(upload=upload, number=1, stream=io.BytesIO(b"x" * 10), size=10)

    def finish(_):
        client = APIClient()
        client.force_login(user)
        try:
            return complete(client, {"id": upload.pk}, [(1, part.etag)]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(finish, range(4))) == {202}
    assert Ingest.objects.count() == 1


def test_a_complete_upload_takes_no_more_parts(api):
    upload, parts = send(api, b"x" * 10)
    complete(api, upload, parts)
    answer = put(api, upload, 1, b"y" * 10)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_not_open")
    assert stored(upload) == b"x" * 10


def test_an_upload_says_its_dataset_once_it_is_complete_and_after_it_was_ingested(api):
    upload, parts = send(api, b"x" * 10)
    dataset = complete(api, upload, parts).json()["id"]
    assert api.get(f"{URL}{upload['id']}/").json()["dataset"] == dataset
    drop_upload(Dataset.objects.get())
    assert api.get(f"{URL}{upload['id']}/").json()["dataset"] == dataset
    assert complete(api, upload, parts).json()["id"] == dataset


def test_an_aborted_upload_leaves_nothing(api):
    upload, _parts = send(api, b"x" * 3000, order=[1])
    assert api.delete(f"{URL}{upload['id']}/").status_code == 204
    sweep()
    assert not Dataset.objects.exists()
    assert not StorageRemoval.objects.exists()
    assert list(get_store().keys()) == []
    for answer in (api.get(f"{URL}{upload['id']}/"), put(api, upload, 2, b"x" * 1024)):
        assert answer.status_code == 404


def test_a_complete_upload_cannot_be_aborted(api):
    upload, parts = send(api, b"x" * 10)
    complete(api, upload, parts)
    answer = api.delete(f"{URL}{upload['id']}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert stored(upload) == b"x" * 10


def test_a_session_ends_when_its_time_is_over(api):
    upload, parts = send(api, b"x" * 10)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (put(api, upload, 1, b"y" * 10), complete(api, upload, parts)):
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_expired")

    assert expire_uploads() == 1
    sweep()
    assert not Dataset.objects.exists()
    assert list(get_store().keys()) == []
    assert expire_uploads() == 0


def test_a_session_in_time_and_a_complete_one_do_not_expire(api):
    start(api, 10)
    upload, parts = send(api, b"x" * 10)
    complete(api, upload, parts)
    Upload.objects.filter(pk=upload["id"]).update(expires_at=timezone.now() - timedelta(days=1))
    assert expire_uploads() == 0
    assert Dataset.objects.count() == 2


def test_a_dataset_that_is_being_deleted_is_not_brought_back_by_its_upload(api):
    upload, parts = send(api, b"x" * 10)
    row = Upload.objects.select_related("dataset", "created_by").get()
    Dataset.objects.update(status="deleting")
    assert complete(api, upload, parts).status_code == 404
    from datasets.services.uploads import complete_upload

    with pytest.raises(Exception, match="given up"):
        complete_upload(upload=row, parts=parts)
    assert Dataset.objects.get().status == "deleting"
    assert not Ingest.objects.exists()


def test_no_key_holds_what_the_person_called_the_file(api):
    upload, _ = send(api, b"x" * 10)
    assert "Chest" not in Upload.objects.get(pk=upload["id"]).storage_key


@pytest.mark.parametrize("way", ["parts", "one request"])
@pytest.mark.parametrize("gone", ["cancelled", "deleted"])
def test_what_is_put_together_after_the_end_is_removed_again(api, user, store, settings, monkeypatch, way, gone):
    """On S3 an object can come to be after whoever gave the upload up has looked for it."""
    settings.DEEPCAP_TRASH_DAYS = 0
    name = {"parts": "complete_multipart", "one request": "put_stream"}[way]
    real = getattr(type(store), name)

    def late(self, key, *arguments):
        upload = Upload.objects.get()
        if gone == "cancelled":
            assert discard(upload)
        else:
            deletion = delete_dataset(dataset=upload.dataset, by=user, confirmation="DELETE")
            while run_deletion(deletion.pk):
                pass
        sweep()
        store.put(key, b"a zip")
        return 5

    monkeypatch.setattr(type(store), name, late)
    if way == "parts":
        begun = start(api, 5)
        etag = put(api, begun, 1, b"a zip").headers["ETag"]
        answer = complete(api, begun, [(1, etag)])
    else:
        answer = api.post("/api/v1/datasets/", {"file": io.BytesIO(b"a zip"), "name": "late"}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_not_open")
    monkeypatch.setattr(type(store), name, real)
    assert list(store.keys("")) != []
    sweep()
    assert list(store.keys("")) == []
    assert not Upload.objects.exists()
