"""How much a user may store: each blob once, uploads from the moment they start (P17)."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from datasets.errors import QuotaExceeded
from datasets.models import Dataset, DatasetStatus, Upload, UploadState
from datasets.services.quota import stored_bytes
from datasets.services.uploads import abort_upload, open_upload, upload_file
from tests.builders import make_dataset, make_image, make_study

pytestmark = pytest.mark.django_db


def dataset_of(owner, *contents, status=DatasetStatus.AVAILABLE):
    dataset = make_dataset(owner, image_count=len(contents), status=status)
    study = make_study(dataset, images=0)
    for number, data in enumerate(contents):
        make_image(study, f"{number}.dcm", data)
    return dataset


def test_bytes_count_once_for_a_user_however_often_they_are_shown(user, other_user):
    dataset_of(user, b"a" * 100, b"b" * 50)
    dataset_of(user, b"a" * 100, b"c" * 7)
    dataset_of(other_user, b"a" * 100)
    assert stored_bytes(user) == 157
    assert stored_bytes(other_user) == 100


def test_what_is_being_deleted_does_not_count(user):
    dataset_of(user, b"a" * 100, status=DatasetStatus.DELETING)
    assert stored_bytes(user) == 0


def test_an_upload_counts_from_its_start_and_not_beside_its_images(user):
    open_upload(owner=user, filename="a.zip", size=1000)
    assert stored_bytes(user) == 1000
    dataset_of(user, b"a" * 70, status=DatasetStatus.PREPARING)
    assert stored_bytes(user) == 1000


def test_the_file_of_a_failed_upload_counts_as_long_as_it_is_kept(user):
    upload = open_upload(owner=user, filename="a.zip", size=1000)
    for status, state, counted in [
        (DatasetStatus.PREPARATION_FAILED, UploadState.COMPLETE, 1000),
        (DatasetStatus.PREPARATION_FAILED, UploadState.INGESTED, 0),
        (DatasetStatus.DELETING, UploadState.COMPLETE, 0),
    ]:
        Dataset.objects.filter(pk=upload.dataset_id).update(status=status)
        Upload.objects.filter(pk=upload.pk).update(state=state)
        assert stored_bytes(user) == counted


def test_an_upload_that_does_not_fit_is_refused_with_a_sentence(api, user):
    user.storage_quota_bytes = 3 * 1024
    user.save()
    dataset_of(user, b"a" * 1024)
    answer = api.post("/api/v1/uploads/", {"filename": "a.zip", "size": 2049}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (413, "quota_exceeded")
    assert "1 KB of your 3 KB" in answer.json()["detail"]
    assert Dataset.objects.count() == 1
    assert api.post("/api/v1/uploads/", {"filename": "a.zip", "size": 2048}, format="json").status_code == 201


def test_a_whole_file_that_does_not_fit_is_refused(user, settings):
    settings.DEEPCAP_DEFAULT_QUOTA_BYTES = 10
    with pytest.raises(QuotaExceeded):
        upload_file(owner=user, stream=io.BytesIO(b"x" * 11), filename="a.zip", size=11)


def test_a_quota_of_ones_own_goes_before_the_default(user, settings):
    settings.DEEPCAP_DEFAULT_QUOTA_BYTES = 10
    user.storage_quota_bytes = 0
    user.save()
    with pytest.raises(QuotaExceeded):
        open_upload(owner=user, filename="a.zip", size=1)
    user.storage_quota_bytes = 100
    user.save()
    open_upload(owner=user, filename="a.zip", size=100)


def test_giving_an_upload_up_gives_its_room_back(user, settings):
    settings.DEEPCAP_DEFAULT_QUOTA_BYTES = 10
    abort_upload(upload=open_upload(owner=user, filename="a.zip", size=10), by=user)
    open_upload(owner=user, filename="a.zip", size=10)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_two_that_start_at_the_same_time_do_not_both_take_the_last_room(user, settings):
    settings.DEEPCAP_DEFAULT_QUOTA_BYTES = 10

    def attempt(_):
        try:
            open_upload(owner=user, filename="a.zip", size=6)
        except QuotaExceeded:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
