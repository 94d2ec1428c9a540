"""Pages of annotation projects and of the jobs in them."""

import pytest
from django.test import Client

from deepcap.accounts.models import User
from tests.builders import make_dataset
from tests.usage.builders import make_labelled, make_project
from usage.models import AnnotationJob, AnnotationProject, JobStatus, JobStudy, MemberState, ProjectStatus, StudyState

pytestmark = pytest.mark.django_db
PROJECTS, JOBS = "/annotation-projects/", "/annotation-jobs/"


def html(client, url, query=None):
    answer = client.get(url, query or {})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def labelled(user):
    return make_labelled(user, name="Chest")


@pytest.fixture
def dataset(labelled):
    return labelled[0]


@pytest.fixture
def member(db):
    return User.objects.create_user("mary", "mary@example.org", "pass")


@pytest.fixture
def theirs(member):
    client = Client()
    client.force_login(member)
    return client


def filled(dataset, **changes):
    return {
        "dataset": dataset.pk,
        "name": "Lungs",
        "validation_method": "reviewer",
        "annotators_per_study": "2",
        "review_percentage": "100",
        "labels_object_detection": "nodule\r\n effusion \r\n\r\n",
        **changes,
    }


def test_empty_lists_say_how_to_begin(client):
    assert "Annotation Project List is empty" in html(client, PROJECTS)
    assert "Job List is empty" in html(client, JOBS)


def test_start_preselects_the_dataset_and_offers_its_annotation_data(client, labelled):
    dataset, data = labelled
    assert "usage-form" not in html(client, f"{PROJECTS}create/")
    page = html(client, f"{PROJECTS}create/?dataset={dataset.pk}&annotation_data={data.pk}")
    assert f'<option value="{dataset.pk}" selected' in page
    assert f'value="{data.pk}"' in page
    assert "abnormal\nnormal</textarea>" in page


def test_a_project_is_made_and_published_in_one_step(client, user, dataset, member, labelled):
    data = labelled[1]
    answer = client.post(
        f"{PROJECTS}create/",
        filled(
            dataset,
            annotators="MARY@example.org",
            reviewers=user.username,
            annotation_data=data.pk,
            annotation_due="2030-01-02",
            publish="1",
        ),
    )
    project = AnnotationProject.objects.get()
    assert answer.url == project.get_absolute_url()
    assert project.status == ProjectStatus.IN_PROGRESS
    assert project.annotation_types == [{"annotation_type": "object_detection", "labels": ["nodule", "effusion"]}]
    assert list(project.included_annotation_data.all()) == [data]
    assert set(project.jobs.values_list("assignee__username", "role", "study_count")) == {
        ("mary", "annotator", 3),
        (user.username, "reviewer", 3),
    }
    page = html(client, project.get_absolute_url())
    assert "Go to your job as Reviewer" in page
    assert "effusion" in page
    assert "Unannotated: 3" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels_object_detection": " "}, "At least one annotation type needs labels."),
        ({"annotators": "nobody-of-that-name"}, "Nobody is registered as “nobody-of-that-name”."),
        ({"validation_method": "dsv", "annotators": "mary"}, "The project needs at least 2 annotators."),
        ({"name": " "}, "This field is required."),
        ({"review_percentage": "101"}, "less than or equal to 100"),
        ({"labels_object_detection": "x" * 101}, "100 characters"),
    ],
)
def test_what_is_refused_is_said_at_its_place_and_nothing_is_made(client, dataset, member, changes, sentence):
    answer = client.post(f"{PROJECTS}create/?dataset={dataset.pk}", filled(dataset, **changes))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert sentence in page
    if "labels_object_detection" not in changes:
        assert "nodule\r\n effusion" in page.replace("&#13;", "\r")
    assert not AnnotationProject.objects.exists()


def test_lists_take_as_many_queries_for_any_number_of_rows(client, dataset, member, django_assert_num_queries):
    type(dataset).objects.update(covers=list(dataset.images.values_list("pk", flat=True)))
    make_project(dataset, annotators=[member], publish=True)
    html(client, PROJECTS)
    with django_assert_num_queries(8):
        html(client, PROJECTS)
    with django_assert_num_queries(5):
        html(client, JOBS)
    for _ in range(6):
        make_project(dataset, annotators=[member], publish=True)
    with django_assert_num_queries(8):
        assert html(client, PROJECTS).count("row-link") == 7
    with django_assert_num_queries(5):
        assert html(client, JOBS).count("row-link") == 7


def test_lists_are_narrowed_searched_and_sorted(client, user, dataset, member):
    other = make_dataset(user, "Knees", studies=2)
    lungs = make_project(dataset, annotators=[member], publish=True, name="lungs")
    knees = make_project(other, annotators=[member], name="Knees")
    assert "lungs</span>" not in html(client, PROJECTS, {"dataset": other.pk})
    assert "Knees</span>" not in html(client, PROJECTS, {"status": "in_progress"})
    assert "lungs</span>" not in html(client, PROJECTS, {"search": "KNEE"})
    page = html(client, PROJECTS, {"ordering": "-name"})
    assert page.index("lungs</span>") < page.index("Knees</span>")
    assert "lungs</span>" in html(client, JOBS, {"project": lungs.pk, "role": "annotator"})
    assert "lungs</span>" not in html(client, JOBS, {"project": knees.pk})
    assert "lungs</span>" not in html(client, JOBS, {"role": "reviewer"})
    assert "lungs</span>" in html(client, JOBS, {"search": "mary", "ordering": "due"})


def test_a_member_sees_the_project_and_their_job_but_leads_nothing(theirs, dataset, member, other_user):
    project = make_project(dataset, annotators=[member], reviewers=[other_user], publish=True)
    page = html(theirs, project.get_absolute_url())
    assert "Go to your job as Annotator" in page
    assert dataset.get_absolute_url() not in page
    for word in ("Finish…", "Delete…", "Add member", "Suspend"):
        assert word not in page
    assert html(theirs, JOBS).count("row-link") == 1
    for page_name, form in (("finish", {}), ("stop", {}), ("delete", {"confirmation": "DELETE"})):
        assert theirs.post(f"{project.get_absolute_url()}{page_name}/", form).status_code == 403
    project.refresh_from_db()
    assert project.status == ProjectStatus.IN_PROGRESS


def test_a_person_says_how_far_their_studies_are(theirs, dataset, member):
    project = make_project(dataset, annotators=[member], publish=True)
    job = AnnotationJob.objects.get()
    page = html(theirs, job.get_absolute_url())
    assert "3 Studies" in page
    first, second, third = JobStudy.objects.order_by("study_id").values_list("study_id", flat=True)
    url = f"{job.get_absolute_url()}studies/"
    assert theirs.post(url, {"study": [first, second], "state": "finished"}).url == job.get_absolute_url()
    assert "1 Study" in html(theirs, job.get_absolute_url(), {"state": "remaining"})
    assert "Annotated: 2" in html(theirs, project.get_absolute_url())
    theirs.post(url, {"study": third, "state": "excluded"})
    job.refresh_from_db()
    assert (job.status, job.finished_count) == (JobStatus.FINISHED, 3)
    assert theirs.post(url, {"study": first, "state": "nonsense"}).status_code == 400
    assert theirs.post(url, {"state": "finished"}).status_code == 400
    assert set(JobStudy.objects.values_list("state", flat=True)) == {StudyState.FINISHED, StudyState.EXCLUDED}


def test_members_are_added_suspended_and_removed(client, dataset, member, other_user):
    project = make_project(dataset, annotators=[member], publish=True)
    url = f"{project.get_absolute_url()}members/"
    assert "User name or e-mail" in html(client, url)
    client.post(url, {"person": other_user.username, "role": "reviewer"})
    assert set(project.jobs.values_list("assignee", "role")) == {
        (member.pk, "annotator"),
        (other_user.pk, "reviewer"),
    }
    assert client.post(url, {"person": "nobody", "role": "reviewer"}).status_code == 400
    annotator = project.members.get(role="annotator")
    client.post(f"{url}{annotator.pk}/", {"state": "suspended"})
    job = project.jobs.get(role="annotator")
    assert job.status == JobStatus.STOPPED
    client.post(f"{job.get_absolute_url()}resume/")
    job.refresh_from_db()
    assert job.status == JobStatus.ONGOING
    client.post(f"{url}{annotator.pk}/", {"state": "removed"})
    annotator.refresh_from_db()
    assert annotator.state == MemberState.REMOVED
    assert client.post(f"{url}{annotator.pk}/", {"state": "active"}).status_code == 400


def test_a_project_is_published_edited_and_finished(client, dataset, member):
    project = make_project(dataset, annotators=[member])
    address = project.get_absolute_url()
    assert "not published yet" in html(client, address)
    client.post(f"{address}publish/")
    assert 'value="2031-05-06"' not in html(client, f"{address}edit/")
    client.post(f"{address}edit/", {"name": "New", "instruction": "Look twice", "finish_on": "2031-05-06"})
    assert 'value="2031-05-06"' in html(client, f"{address}edit/")
    assert "Look twice" in html(client, address)
    assert client.post(f"{address}edit/", {"name": ""}).status_code == 400
    assert "0 of 3 studies are annotated" in html(client, f"{address}finish/")
    client.post(f"{address}finish/")
    project.refresh_from_db()
    assert (project.status, project.name) == (ProjectStatus.FINISHED, "New")
    assert client.post(f"{address}finish/").status_code in (302, 409)
    assert AnnotationJob.objects.get().status == JobStatus.STOPPED
