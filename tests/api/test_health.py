"""Load balancers, supervisors and scrapers."""

import pytest
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from datasets.models import DatasetStatus, StorageRemoval
from deepcap import health
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_ingest

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_live(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_machine_that_can_work_is_ready_and_leaves_no_trace(client, store):
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["failed"]) == (200, [])
    assert "no-store" in answer.headers["Cache-Control"]
    assert list(store.keys()) == []


def test_a_storage_that_cannot_be_written_is_named(client, store, settings):
    store.root.parent.mkdir(exist_ok=True)
    store.root.write_text("a file where a folder should be")
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["failed"]) == (503, ["storage"])
    assert answer.json()["checks"] == {"database": "ok", "storage": "failed", "broker": "ok"}


def test_a_database_that_is_away_is_named(client, monkeypatch):
    def away():
        raise OperationalError("could not connect to host 10.0.0.7")

    monkeypatch.setattr(health.connection, "cursor", away)
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["failed"]) == (503, ["database"])
    assert "10.0.0.7" not in answer.content.decode()


def test_a_queue_folder_that_is_away_is_named(client, settings, tmp_path):
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": tmp_path, "data_folder_out": tmp_path / "away"}
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()["failed"]) == (503, ["broker"])
    (tmp_path / "away").mkdir()
    assert client.get("/healthz/ready").status_code == 200


@pytest.mark.redis
def test_a_broker_is_reached_or_named(client, redis_url, settings):
    for url, failed in ((redis_url, []), ("redis://127.0.0.1:1/0", ["broker"])):
        settings.CELERY_BROKER_URL = url
        assert client.get("/healthz/ready").json()["failed"] == failed


# --- metrics ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def scraper(client, settings):
    settings.DEEPCAP_METRICS_TOKEN = "let me in"

    def scrape(key="let me in"):
        return client.get("/metrics", headers={"Authorization": f"Bearer {key}"})

    return scrape


def samples(answer):
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_metrics_are_for_operators_and_scrapers(client, user, operator, scraper):
    assert client.get("/metrics").status_code == 403
    assert scraper("wrong").status_code == 403
    assert scraper().status_code == 200
    client.force_login(user)
    assert client.get("/metrics").status_code == 403
    client.force_login(operator)
    assert client.get("/metrics").status_code == 200


def test_without_a_token_set_no_scraper_gets_in(scraper, settings):
    settings.DEEPCAP_METRICS_TOKEN = ""
    assert scraper("").status_code == 403


def test_metrics_count_what_is_there(scraper, user):
    make_dataset(user, studies=1)
    dataset = make_dataset(user, status=DatasetStatus.PREPARING)
    ingest = make_ingest(dataset, state=WorkState.RUNNING)
    for number, state in enumerate(["pending", "pending", "failed", "done"]):
        ingest.batches.create(number=number, state=state, members=[], member_count=1, byte_count=1)
    StorageRemoval.objects.create(prefix="uploads/x")
    found = samples(scraper())
    assert found["deepcap_datasets", "available"] == found["deepcap_datasets", "preparing"] == 1
    assert found["deepcap_datasets", "deleting"] == 0
    assert found["deepcap_ingest_batches", "pending"] == 2
    assert found["deepcap_ingest_batches", "failed"] == 1
    assert found["deepcap_open_ingests",] == found["deepcap_vault_removals",] == 1
    assert found["deepcap_oldest_pending_seconds", "ingest"] > 0
    assert found["deepcap_oldest_pending_seconds", "deletion"] == 0


def test_metrics_ask_the_database_no_more_for_many_than_for_few(scraper, user, django_assert_num_queries):
    with django_assert_num_queries(10):
        scraper()
    for _ in range(5):
        make_ingest(make_dataset(user), state=WorkState.RUNNING)
    with django_assert_num_queries(10):
        scraper()
