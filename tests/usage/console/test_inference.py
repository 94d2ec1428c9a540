"""Pages of inference jobs, their predictions as annotation data, and where annotation data say they come from."""

import pytest

from annotations.models import AnnotationData, SourceKind
from tests.usage.builders import make_inference, make_labelled, make_training, predict, train
from usage.models import InferenceJob
from usage.services.deletions import delete_usage
from usage.services.work import advance

pytestmark = pytest.mark.django_db
LIST = "/inference-jobs/"


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


def test_without_a_model_the_form_says_so(client, labelled):
    assert "There is no trained model yet" in html(client, f"{LIST}create/")
    assert "There are no inference jobs" in html(client, LIST)


def test_model_and_dataset_are_chosen_first_and_decide_on_the_ground_truth(client, user, labelled, task):
    dataset, data = labelled
    page = html(client, f"{LIST}create/", {"training_task": task.pk})
    assert f'<option value="{task.pk}" selected' in page
    assert "usage-form" not in page
    page = html(client, f"{LIST}create/", {"training_task": task.pk, "dataset": dataset.pk})
    assert f'<option value="{data.pk}"' in page
    assert 'value="Model of lungs – Chest"' in page
    _other, truth_elsewhere = make_labelled(user)
    form = {"training_task": task.pk, "dataset": dataset.pk, "name": "On chest"}
    answer = client.post(f"{LIST}create/", form | {"ground_truth": truth_elsewhere.pk})
    assert "field-error" in answer.content.decode()
    assert not InferenceJob.objects.exists()
    answer = client.post(f"{LIST}create/", form | {"ground_truth": data.pk})
    job = InferenceJob.objects.get()
    assert answer.url == job.get_absolute_url()
    assert (job.ground_truth, job.prediction_only, job.dataset, job.training_task) == (data, False, dataset, task)


def test_the_list_is_narrowed_and_takes_as_many_queries_for_any_number(
    client, user, labelled, task, django_assert_num_queries
):
    dataset, data = labelled
    type(dataset).objects.update(covers=list(dataset.images.values_list("pk", flat=True)))
    other = make_labelled(user)[0]
    first, second = make_inference(task, dataset, ground_truth=data), make_inference(task, other)
    for query in ({"dataset": dataset.pk}, {"annotation_data": data.pk}, {"search": "chest"}):
        page = html(client, LIST, query)
        assert f">{first.name}</span>" in page
        assert f">{second.name}</span>" not in page
    assert html(client, LIST, {"training_task": task.pk, "ordering": "-accuracy"}).count("row-link") == 2
    with django_assert_num_queries(6):
        html(client, LIST)
    for _ in range(6):
        make_inference(task, dataset)
    with django_assert_num_queries(6):
        assert html(client, LIST).count("row-link") == 8


def test_a_jobs_page_shows_its_numbers_and_its_links(client, user, labelled, task):
    dataset, data = labelled
    job = make_inference(task, dataset, ground_truth=data)
    advance(row=job, by=user, status="running")
    advance(row=job, by=user, status="finished", accuracy=0.9156, metrics={"auc": 0.5, "f1": {"normal": 0.25}})
    page = html(client, job.get_absolute_url())
    for expected in ("91.56%", "auc", "f1 · normal", "0.25", data.get_absolute_url(), task.get_absolute_url()):
        assert expected in page
    assert "Export as annotation data" not in page


def test_predictions_become_annotation_data_that_name_their_source(client, user, labelled, task):
    dataset = labelled[0]
    job = predict(make_inference(task, dataset))
    assert "Export as annotation data" in html(client, job.get_absolute_url())
    assert "Chest" in html(client, f"{job.get_absolute_url()}export/")
    answer = client.post(f"{job.get_absolute_url()}export/", {"name": "Predicted"})
    made = AnnotationData.objects.get(source_kind=SourceKind.INFERENCE_JOB)
    assert answer.url == made.get_absolute_url()
    assert made.name == "Predicted"
    assert made.get_absolute_url() in html(client, job.get_absolute_url())
    source = f"/annotation-data/{made.pk}/source/"
    assert f'hx-get="{source}"' in html(client, made.get_absolute_url())
    assert job.get_absolute_url() in html(client, source)
    delete_usage(row=job, by=user, confirmation="DELETE")
    page = html(client, source)
    assert "(deleted)" in page
    assert job.name in page


def test_without_predictions_there_is_nothing_to_export(client, labelled, task):
    job = make_inference(task, labelled[0])
    assert client.post(f"{job.get_absolute_url()}export/", {"name": "x"}).status_code == 409


def test_other_sources_are_just_named(client, labelled):
    data = labelled[1]
    AnnotationData.objects.filter(pk=data.pk).update(source_detail={"name": "labels.csv", "id": 5})
    page = html(client, f"/annotation-data/{data.pk}/source/")
    assert "labels.csv" in page
    assert "deleted" not in page
