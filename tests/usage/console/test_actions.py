"""Renaming, stopping, deleting; counts that lead to lists; buttons on the pages of datasets and annotation data."""

import pytest
from django.conf import settings

from datasets.models import Deletion
from tests.builders import make_ingest
from tests.usage.builders import make_inference, make_labelled, make_project, make_training, train
from usage.models import AnnotationJob, ProjectStatus, TrainingTask, WorkStatus

pytestmark = pytest.mark.django_db


def html(client, url, query=None):
    answer = client.get(url, query or {})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def labelled(user):
    return make_labelled(user, name="Chest")


@pytest.fixture
def task(labelled):
    return train(make_training(labelled[1], name="Model of lungs"))


def test_work_is_renamed_and_returns_to_where_it_was_asked(client, htmx, labelled, task):
    job = make_inference(task, labelled[0])
    for row, url in ((task, "/training-tasks/"), (job, "/inference-jobs/")):
        assert f'value="{row.name}"' in html(client, f"{row.get_absolute_url()}rename/")
        answer = htmx.post(
            f"{row.get_absolute_url()}rename/",
            {"name": "Renamed"},
            headers={"HX-Current-URL": f"http://testserver{url}?page=2"},
        )
        assert answer.url == f"{url}?page=2"
        row.refresh_from_db()
        assert row.name == "Renamed"
        assert client.post(f"{row.get_absolute_url()}rename/", {"name": " "}).status_code == 400


def test_what_is_under_way_is_stopped_and_nothing_else(client, user, labelled, task):
    waiting = make_training(labelled[1])
    project = make_project(labelled[0], annotators=[user], publish=True)
    assert "Stop…" not in html(client, task.get_absolute_url())
    assert "Stop…" in html(client, waiting.get_absolute_url())
    for row in (waiting, project):
        assert "Stop" in html(client, f"{row.get_absolute_url()}stop/")
        assert client.post(f"{row.get_absolute_url()}stop/").url == row.get_absolute_url()
        row.refresh_from_db()
    assert (waiting.status, project.status) == (WorkStatus.STOPPED, ProjectStatus.STOPPED)
    assert user.display_name in waiting.status_detail
    assert AnnotationJob.objects.get().status == "stopped"
    assert client.post(f"{task.get_absolute_url()}stop/").status_code == 409


def test_a_deletion_says_what_goes_asks_for_the_word_and_leaves_a_receipt(client, labelled, task):
    make_inference(task, labelled[0])
    url = f"{task.get_absolute_url()}delete/"
    page = html(client, url)
    assert "training task with its model" in page
    assert "<dt>1</dt><dd>inference job</dd>" in page
    assert "inference " in page
    assert "This cannot be undone." in page
    assert client.post(url, {"confirmation": "delete"}).status_code == 400
    assert TrainingTask.objects.alive().exists()
    answer = client.post(url, {"confirmation": "DELETE"}, follow=True)
    assert answer.redirect_chain[0][0] == "/training-tasks/"
    assert "is being deleted" in answer.content.decode()
    deletion = Deletion.objects.get()
    assert (deletion.target_name, deletion.impact["inference_jobs"]) == ("Model of lungs", 1)
    assert client.get(task.get_absolute_url()).status_code == 404
    assert "Model of lungs" in html(client, f"/datasets/deletions/{deletion.pk}/")


def test_a_deleted_job_is_named_by_its_person_and_comes_back(client, settings, labelled, other_user):
    settings.DEEPCAP_TRASH_DAYS = 3
    make_project(labelled[0], annotators=[other_user], publish=True, name="Lungs")
    job = AnnotationJob.objects.get()
    client.post(f"{job.get_absolute_url()}delete/", {"confirmation": "DELETE"})
    deletion = Deletion.objects.get()
    assert deletion.target_name == f"Annotator job of {other_user.display_name} in Lungs"
    assert client.get(job.get_absolute_url()).status_code == 404
    answer = client.post(f"/datasets/deletions/{deletion.pk}/restore/")
    assert answer.url == job.get_absolute_url()
    assert client.get(job.get_absolute_url()).status_code == 200


def test_counts_on_a_datasets_page_lead_to_lists_and_start_begins_a_project(client, labelled, task):
    dataset, data = labelled
    make_ingest(dataset)
    make_project(dataset)
    page = html(client, dataset.get_absolute_url())
    assert f'href="/annotation-projects/?dataset={dataset.pk}">1 Project<' in page
    assert f'href="/training-tasks/?dataset={dataset.pk}">1 Task<' in page
    assert "/inference-jobs/?dataset=" not in page
    assert f'href="/annotation-projects/create/?dataset={dataset.pk}"' in page
    assert f'href="/inference-jobs/create/?dataset={dataset.pk}"' in page
    page = html(client, data.get_absolute_url())
    assert f'href="/training-tasks/?annotation_data={data.pk}">1 Task<' in page
    assert f'href="/training-tasks/create/?annotation_data={data.pk}"' in page


def test_the_left_menu_leads_to_the_four_lists(client):
    page = html(client, "/datasets/")
    for url in ("/annotation-projects/", "/annotation-jobs/", "/training-tasks/", "/inference-jobs/"):
        assert f'data-section="{url}"' in page
        assert f'data-section="{url}"' in html(client, url)


def test_no_page_has_scripts_or_styles_of_its_own(client, user, labelled, task):
    project = make_project(labelled[0], annotators=[user], publish=True)
    rows = [task, make_inference(task, labelled[0]), project, AnnotationJob.objects.get()]
    assert settings.CONTENT_SECURITY_POLICY
    for row in rows:
        for url in (row.get_absolute_url(), f"{row.get_absolute_url()}delete/"):
            page = html(client, url)
            assert " style=" not in page
            assert "<style" not in page
            assert " onclick" not in page
