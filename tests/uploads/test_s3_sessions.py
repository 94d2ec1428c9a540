"""The same session where the parts go straight to the storage, or to us: the client does as it is told."""

import io
import os
import urllib.request
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.blobs.sweep import sweep
from datasets.ingest.expiry import expire_uploads
from datasets.models import Dataset, Upload
from datasets.services import uploads
from datasets.services.progress import progress_of, with_progress
from datasets.services.uploads import upload_file

URL = "/api/v1/uploads/"
PART = 5 * 1024**2

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _parts_as_small_as_s3_takes_them(monkeypatch):
    monkeypatch.setattr(uploads, "SMALLEST_PART", PART)


def put(api, url, data):
    """PUT where the API said; returns the ETag as the client reads it from the answer."""
    if url.startswith("http://testserver/"):
        return api.put(url, data, content_type="application/octet-stream").headers["ETag"]
    request = urllib.request.Request(url, data=data, method="PUT")
    with urllib.request.urlopen(request) as answer:
        return answer.headers["ETag"]


def send(api, data, numbers):
    upload = api.post(URL, {"filename": "a.zip", "size": len(data)}, format="json").json()
    etags = {}
    for number in numbers:
        url = api.get(f"{URL}{upload['id']}/parts/{number}/").json()["url"]
        etags[number] = put(api, url, data[(number - 1) * PART : number * PART])
    return upload, [{"number": number, "etag": etag} for number, etag in sorted(etags.items())]


def test_a_file_in_parts_is_put_together(api, any_store):
    data = os.urandom(2 * PART + 1000)
    upload, parts = send(api, data, [3, 1, 2])
    state = api.get(f"{URL}{upload['id']}/").json()
    assert [(part["number"], part["size"]) for part in state["parts"]] == [(1, PART), (2, PART), (3, 1000)]

    answers = [api.post(f"{URL}{upload['id']}/complete/", {"parts": parts}, format="json") for _ in range(2)]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "queued")] * 2
    assert any_store.read(Upload.objects.get().storage_key) == data


def test_what_has_not_arrived_is_not_put_together(api, any_store):
    upload, parts = send(api, os.urandom(PART + 10), [1])
    complete = f"{URL}{upload['id']}/complete/"
    answer = api.post(complete, {"parts": [*parts, {"number": 2, "etag": "0" * 32}]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parts_missing")
    answer = api.post(complete, {"parts": [{"number": 1, "etag": "0" * 32}]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "part_etag_wrong")


@pytest.mark.parametrize("how", ["abort", "expire"])
def test_an_upload_that_is_given_up_leaves_nothing(api, any_store, how):
    upload, _parts = send(api, os.urandom(PART + 10), [1])
    row = Upload.objects.get()
    if how == "abort":
        assert api.delete(f"{URL}{upload['id']}/").status_code == 204
    else:
        Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert expire_uploads() == 1
    sweep()
    assert not Dataset.objects.exists()
    assert list(any_store.keys()) == []
    with pytest.raises(FileNotFoundError):
        any_store.complete_multipart(row.storage_key, row.multipart_id, [(1, "x")])


def test_a_whole_file_is_stored_in_one_go(user, any_store):
    data = os.urandom(PART + 10)
    dataset = upload_file(owner=user, stream=io.BytesIO(data), filename="a.zip", size=len(data))
    assert dataset.status == "queued"
    assert any_store.read(dataset.upload.storage_key) == data


def test_how_far_an_upload_is_can_be_seen_by_those_who_do_not_send_it(api, any_store, monkeypatch):
    monkeypatch.setattr(uploads, "PARTS_BETWEEN_LOOKS", 2)
    send(api, os.urandom(2 * PART + 10), [1, 2])
    progress = progress_of(with_progress(Dataset.objects.all()).get())
    assert (progress.stage, progress.total) == ("uploading", 2 * PART + 10)
    assert progress.done >= PART
