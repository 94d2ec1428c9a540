"""What S3 answers when something is wrong, and how it is set up."""

import environ
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from django.db import transaction

from datasets.blobs.store import get_store
from deepcap.settings.storage import browser_origins, vault_from
from tests.blobs.conftest import set_vault
from tests.blobs.vault import assert_sound, ingest, make_study, refer, start_writer, write
from tests.servers import S3Endpoint

NOWHERE = S3Endpoint("http://127.0.0.1:9", "access", "secret")
VARIABLES = ("DEEPCAP_STORAGE", "AWS_S3_ENDPOINT_URL", "AWS_S3_REGION_NAME", "DEEPCAP_S3_ADDRESSING")


@pytest.fixture
def stubbed_store(settings, monkeypatch, _objects_of_this_test):
    """A store whose requests go nowhere, and what answers them."""
    store = set_vault("s3://bucket", NOWHERE, settings, monkeypatch)
    with Stubber(store.client) as stubber:
        yield store, stubber
        stubber.assert_no_pending_responses()


def test_objects_that_s3_would_not_remove_are_a_fault(stubbed_store):
    store, stubber = stubbed_store
    stubber.add_response("delete_objects", {"Errors": [{"Key": "blobs/aa/x/1.orig", "Code": "AccessDenied"}]})
    with pytest.raises(OSError, match="AccessDenied"):
        store.remove([("blobs/aa/x/1.orig", 1)])


def test_objects_are_removed_a_thousand_at_a_time(stubbed_store):
    store, stubber = stubbed_store
    keys = [f"blobs/aa/x/{number}.orig" for number in range(2001)]
    for start in (0, 1000, 2000):
        objects = [{"Key": key} for key in keys[start : start + 1000]]
        stubber.add_response("delete_objects", {}, {"Bucket": "bucket", "Delete": {"Objects": objects, "Quiet": True}})
    store.remove((key, 1) for key in keys)


def test_families_of_one_batch_are_found_by_one_listing(stubbed_store):
    store, stubber = stubbed_store
    stubber.add_response(
        "list_objects_v2",
        {"Contents": [{"Key": f"blobs/aa/x/00000{number}.orig", "Size": 5} for number in (1, 2, 3)]},
        {"Bucket": "bucket", "Prefix": "blobs/aa/x/00000"},
    )
    objects = [{"Key": "blobs/aa/x/000001.orig"}, {"Key": "blobs/aa/x/000003.orig"}]
    stubber.add_response("delete_objects", {}, {"Bucket": "bucket", "Delete": {"Objects": objects, "Quiet": True}})
    assert store.remove_prefixes(["blobs/aa/x/000001.", "blobs/aa/x/000003."]) == (2, 10)


def test_a_failed_upload_in_parts_is_taken_back(stubbed_store):
    store, stubber = stubbed_store
    stubber.add_response("create_multipart_upload", {"UploadId": "id"})
    stubber.add_client_error("upload_part", "SlowDown", http_status_code=503)
    stubber.add_response("abort_multipart_upload", {}, {"Bucket": "bucket", "Key": "uploads/a", "UploadId": "id"})

    class Stream:
        def read(self, size=-1, /):
            return b"1" * size

    with pytest.raises(ClientError, match="SlowDown"):
        store.put_stream("uploads/a", Stream(), 3)


def test_a_browser_is_sent_to_the_public_name_of_the_service(settings, monkeypatch, _objects_of_this_test):
    settings.DEEPCAP_S3_PUBLIC_URL = "https://objects.example.org"
    store = set_vault("s3://bucket/prefix", NOWHERE, settings, monkeypatch)
    url = store.signed_url("blobs/aa/x/1.orig", filename="a.dcm", content_type="application/dicom", expires=60)
    assert url.startswith("https://objects.example.org/bucket/prefix/blobs/aa/x/1.orig?")
    assert store.client.meta.endpoint_url == NOWHERE.url


@pytest.mark.parametrize(
    ("values", "public_url", "origins"),
    [
        ({}, None, []),
        ({"DEEPCAP_STORAGE": "file:/srv/objects"}, None, []),
        ({"DEEPCAP_STORAGE": "s3://bucket/x"}, None, ["https://bucket.s3.us-east-1.amazonaws.com"]),
        (
            {"DEEPCAP_STORAGE": "s3://a.b", "AWS_S3_REGION_NAME": "eu-west-1", "DEEPCAP_S3_ADDRESSING": "path"},
            None,
            ["https://s3.eu-west-1.amazonaws.com"],
        ),
        ({"DEEPCAP_STORAGE": "s3://b", "AWS_S3_ENDPOINT_URL": "http://rgw:7480"}, None, ["http://rgw:7480"]),
        ({"DEEPCAP_STORAGE": "s3://b", "AWS_S3_ENDPOINT_URL": "http://rgw"}, "https://o.test/", ["https://o.test"]),
    ],
)
def test_pages_may_fetch_from_where_signed_addresses_lead(
    settings, monkeypatch, tmp_path, _objects_of_this_test, values, public_url, origins
):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", **values}.items():
        monkeypatch.setenv(name, value)
    vault = vault_from(environ.Env(), tmp_path)
    assert browser_origins(vault, public_url) == origins

    settings.STORAGES = {**settings.STORAGES, "vault": vault}
    settings.DEEPCAP_S3_PUBLIC_URL = public_url
    url = get_store().signed_part_url("uploads/a", "id", 1, 5)
    assert origins == [] if url is None else url.startswith(f"{origins[0]}/")


def test_a_storage_of_another_kind_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPCAP_STORAGE", "ftp://somewhere")
    with pytest.raises(ValueError, match="DEEPCAP_STORAGE must be"):
        vault_from(environ.Env(), tmp_path)


def test_an_archive_that_was_exchanged_while_it_is_read_is_refused(bucket_store):
    bucket_store.put("uploads/a", b"first")
    source = bucket_store.source("uploads/a")
    bucket_store.put("uploads/a", b"other")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        source.read_range(0, 5)


@pytest.mark.django_db(transaction=True)
def test_a_batch_reaches_a_bucket_by_parallel_requests(bucket_store):
    ingest(make_study(), [b"%d" % number for number in range(12)])
    assert_sound()


@pytest.mark.django_db(transaction=True)
def test_a_request_that_failed_in_the_background_fails_the_batch(settings, monkeypatch, _objects_of_this_test):
    store = set_vault("s3://bucket", NOWHERE, settings, monkeypatch)

    def fail(key, data):
        raise ConnectionError(key)

    monkeypatch.setattr(store, "put", fail)
    writer = start_writer()
    with pytest.raises(ConnectionError):
        write(writer, [b"one"])
    with pytest.raises(ConnectionError):
        writer.sync()
    with pytest.raises(RuntimeError), transaction.atomic():
        refer(make_study(), writer.commit([]), "")
    writer.abandon()
