"""Members of a project look at the studies of their jobs, while they work on them, and at nothing else."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient

from datasets.models import Image, Study
from datasets.services.deletions import delete_dataset
from usage.models import AnnotationJob, AnnotationProject, JobStudy
from usage.services.annotation_projects import set_member_state
from usage.services.work import finish

from .builders import make_labelled, make_project

pytestmark = pytest.mark.django_db
OF_STUDIES = ("study-detail", "study-images")
OF_IMAGES = ("image-detail", "image-thumbnail", "image-file", "image-rendered")


@pytest.fixture
def labelled(user, other_user):
    """A dataset of four studies, two each for its owner and for somebody else."""
    dataset, data = make_labelled(user, studies=4)
    make_project(dataset, annotators=[user, other_user], publish=True)
    return dataset, data


@pytest.fixture
def theirs(other_user):
    client = APIClient()
    client.force_login(other_user)
    return client


def given_to(person):
    return set(JobStudy.objects.filter(job__assignee=person).values_list("study", flat=True))


def seen_by(client, dataset):
    """Return the studies of which all is answered; asserts that of the others nothing is."""
    seen = set()
    for study in dataset.studies.all():
        image = study.images.get()
        urls = [reverse(f"api:{name}", args=[study.pk]) for name in OF_STUDIES]
        urls += [reverse(f"api:{name}", args=[image.pk]) for name in OF_IMAGES]
        urls += [reverse("viewer-study", args=[study.pk]), reverse("viewer-scene", args=[study.pk])]
        [answered] = {client.get(url).status_code for url in urls}
        assert answered in (200, 404)
        if answered == 200:
            seen.add(study.pk)
    return seen


def test_a_member_looks_at_the_studies_of_their_job_only(theirs, labelled, other_user):
    dataset, data = labelled
    assert len(given_to(other_user)) == 2
    assert seen_by(theirs, dataset) == given_to(other_user)
    closed = [
        reverse("api:dataset-detail", args=[dataset.pk]),
        reverse("api:dataset-studies", args=[dataset.pk]),
        reverse("api:annotation-data-detail", args=[data.pk]),
        dataset.get_absolute_url(),
    ]
    assert {theirs.get(url).status_code for url in closed} == {404}


def test_the_viewer_offers_a_member_neither_other_studies_nor_labels_and_leads_back_to_the_jobs(
    theirs, api, labelled, other_user
):
    for pk in given_to(other_user):
        scene = theirs.get(reverse("viewer-scene", args=[pk])).json()
        assert (scene["study"]["previous"], scene["study"]["next"]) == (None, None)
        assert scene["annotation_data"] == []
        assert scene["dataset"]["url"] == reverse("annotation-job-list")
        whole = api.get(reverse("viewer-scene", args=[pk])).json()
        assert whole["study"]["previous"] or whole["study"]["next"]
        assert len(whole["annotation_data"]) == 1


def test_who_is_suspended_looks_at_nothing_until_they_go_on(theirs, labelled, user, other_user):
    dataset, _data = labelled
    member = AnnotationProject.objects.get().members.get(user=other_user)
    set_member_state(member=member, by=user, state="suspended")
    assert seen_by(theirs, dataset) == set()
    set_member_state(member=member, by=user, state="active")
    assert seen_by(theirs, dataset) == given_to(other_user)


@pytest.mark.parametrize("state", ["suspended", "removed"])
@pytest.mark.parametrize("status", ["ongoing", "finished"])
def test_who_is_suspended_or_removed_does_not_let_themselves_back_in(theirs, labelled, user, other_user, state, status):
    dataset, _data = labelled
    member = AnnotationProject.objects.get().members.get(user=other_user)
    job = AnnotationJob.objects.get(assignee=other_user)
    studies = [{"study": pk, "state": "finished"} for pk in given_to(other_user)]
    job_url = reverse("api:annotation-job-detail", args=[job.pk])
    if status == "finished":
        assert theirs.patch(job_url, {"studies": studies}, format="json").json()["status"] == "finished"
    set_member_state(member=member, by=user, state=state)
    assert seen_by(theirs, dataset) == set()
    refused = 403 if state == "suspended" else 404  # who was removed does not see the job any more
    assert theirs.patch(job_url, {"status": "ongoing"}, format="json").status_code == refused
    studies[0]["state"] = "saved"
    assert theirs.patch(job_url, {"studies": studies[:1]}, format="json").status_code == refused
    assert theirs.post(reverse("annotation-job-resume", args=[job.pk])).status_code == refused
    assert seen_by(theirs, dataset) == set()
    job.refresh_from_db()
    assert job.status == ("stopped" if status == "ongoing" else "finished")


def test_a_job_that_its_owner_stopped_is_resumed_by_them_alone(theirs, api, labelled, user, other_user):
    dataset, _data = labelled
    job = AnnotationJob.objects.get(assignee=other_user)
    job_url = reverse("api:annotation-job-detail", args=[job.pk])
    assert api.patch(job_url, {"status": "stopped"}, format="json").status_code == 200
    assert theirs.patch(job_url, {"status": "ongoing"}, format="json").status_code == 403
    assert seen_by(theirs, dataset) == set()
    assert api.patch(job_url, {"status": "ongoing"}, format="json").status_code == 200
    assert seen_by(theirs, dataset) == given_to(other_user)


def test_results_are_about_everybodys_studies_and_their_owners_only(theirs, api, labelled):
    project = AnnotationProject.objects.get()
    url = reverse("api:annotation-project-results", args=[project.pk])
    handed_in = {"file": SimpleUploadedFile("results.csv", b"image,label\n"), "file_format": "csv"}
    assert api.post(url, handed_in, format="multipart").status_code == 201
    assert api.get(url).status_code == 200
    assert theirs.get(url).status_code == 403
    assert url in api.get(project.get_absolute_url()).content.decode()
    page = theirs.get(project.get_absolute_url()).content.decode()
    assert "results.csv" in page
    assert url not in page


def test_when_the_project_ends_or_the_dataset_goes_nothing_is_shown_any_more(theirs, labelled, user, other_user):
    dataset, _data = labelled
    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    assert seen_by(theirs, dataset) == set()

    elsewhere, _data = make_labelled(user)
    project = make_project(elsewhere, annotators=[other_user], publish=True)
    assert len(seen_by(theirs, elsewhere)) == 3
    finish(row=project, by=user)
    assert seen_by(theirs, elsewhere) == set()


def test_the_page_of_a_job_leads_its_person_to_the_studies(theirs, labelled, other_user):
    page = theirs.get(AnnotationJob.objects.get(assignee=other_user).get_absolute_url()).content.decode()
    for study in Study.objects.filter(pk__in=given_to(other_user)):
        assert f'href="{study.get_absolute_url()}"' in page


def test_seen_is_asked_in_one_query(labelled, other_user, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert Study.objects.visible_to(other_user).count() == 2
        assert Image.objects.visible_to(other_user).count() == 2
