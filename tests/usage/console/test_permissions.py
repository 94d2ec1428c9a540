"""Who gets to see what: a stranger is told nothing, and who is not signed in is sent to sign in."""

import pytest
from django.urls import URLResolver, reverse

from tests.usage.builders import make_inference, make_labelled, make_project, make_training, predict, train
from usage.console.urls import urlpatterns
from usage.evaluation import run
from usage.models import AnnotationJob, PredictedImage, ProjectMember

pytestmark = pytest.mark.django_db


def patterns(found=urlpatterns):
    for each in found:
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns)
        else:
            yield each


PATTERNS = list(patterns())
NAMES = {
    each.name: [name for name in ("member_pk", "image_pk", "<int:pk>") if name in str(each.pattern)]
    for each in PATTERNS
}
OF_ONE = sorted(name for name, arguments in NAMES.items() if arguments and name != "annotation-data-source")
WITHOUT_PAGE = {
    "annotation-project-publish",
    "annotation-project-member",
    "annotation-job-studies",
    "annotation-job-resume",
    "inference-job-evaluate",
}


@pytest.fixture
def records(user):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    project = make_project(dataset, annotators=[user], publish=True)
    inference = predict(make_inference(task, dataset))
    run(inference.evaluation.pk)
    return {
        "training-task": task,
        "inference-job": inference,
        "annotation-project": project,
        "annotation-job": AnnotationJob.objects.get(),
    }


def url_of(name, records):
    row = next(row for slug, row in records.items() if name.startswith(slug))
    arguments = [row.pk]
    if "member_pk" in NAMES[name]:
        arguments.append(ProjectMember.objects.get().pk)
    if "image_pk" in NAMES[name]:
        arguments.append(PredictedImage.objects.values_list("image", flat=True).first())
    return reverse(name, args=arguments)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_who_is_not_signed_in_is_sent_to_sign_in(anonymous, name):
    url = reverse(name, args=[1] * len(NAMES[name]))
    for answer in (anonymous.get(url), anonymous.post(url)):
        assert answer.status_code == 302
        assert answer.url == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("name", OF_ONE)
def test_an_owner_opens_every_page_of_a_record(client, records, name):
    answer = client.get(url_of(name, records))
    expected = {200}
    if name in WITHOUT_PAGE:
        expected = {405}
    elif name.endswith("-progress"):
        expected = {200, 204}
    assert answer.status_code in expected


@pytest.mark.parametrize("name", OF_ONE)
def test_a_stranger_finds_none_of_them_and_changes_nothing(stranger, records, name):
    url = url_of(name, records)
    assert stranger.get(url).status_code == (405 if name in WITHOUT_PAGE else 404)
    form = {"confirmation": "DELETE", "name": "Theirs", "state": "finished", "person": "ada", "role": "annotator"}
    before = [type(row).objects.values().get(pk=row.pk) for row in records.values()]
    assert stranger.post(url, form).status_code in (404, 405)
    assert [type(row).objects.values().get(pk=row.pk) for row in records.values()] == before


@pytest.mark.parametrize("slug", ["annotation-project", "annotation-job", "training-task", "inference-job"])
def test_lists_and_rows_of_strangers_are_empty(stranger, records, slug):
    row = records[slug]
    assert row.get_absolute_url() not in stranger.get(reverse(f"{slug}-list")).content.decode()
    answer = stranger.get(reverse(f"{slug}-rows"), {"id": row.pk}).content.decode()
    assert f"{slug}-{row.pk}-status" not in answer


def test_a_stranger_is_not_told_where_annotation_data_come_from(stranger, client, records):
    url = reverse("annotation-data-source", args=[records["training-task"].annotation_data_id])
    assert client.get(url).status_code == 200
    assert stranger.get(url).status_code == 404
