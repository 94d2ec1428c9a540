"""Pages of training tasks: the list, a task with its curves, the form and its gate."""

import pytest
from django.urls import reverse

from annotations.models import AnnotationDataStatus
from tests.usage.builders import make_inference, make_labelled, make_training, train
from usage.models import TrainingTask, WorkStatus
from usage.services.training_tasks import Measurement, add_metrics
from usage.services.work import advance

pytestmark = pytest.mark.django_db
LIST = "/training-tasks/"


def html(client, url, query=None):
    answer = client.get(url, query or {})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def labelled(user):
    return make_labelled(user)


@pytest.fixture
def data(labelled):
    return labelled[1]


def test_an_empty_list_says_how_to_begin(client):
    assert "There are no training tasks" in html(client, LIST)


def test_the_list_is_narrowed_searched_filtered_and_sorted(client, user, data):
    other = make_labelled(user)[1]
    first = make_training(data, name="alpha")
    second = train(make_training(data, name="Beta"))
    third = make_training(other, name="gamma")
    page = html(client, LIST)
    assert page.index("gamma") < page.index("Beta") < page.index("alpha")
    page = html(client, LIST, {"ordering": "name"})
    assert page.index("alpha") < page.index("Beta") < page.index("gamma")

    def names(**query):
        page = html(client, LIST, query)
        return [task.name for task in (first, second, third) if f">{task.name}</span>" in page]

    assert names(annotation_data=data.pk) == ["alpha", "Beta"]
    assert names(dataset=other.dataset_id) == ["gamma"]
    assert names(status="finished") == ["Beta"]
    assert names(search="ET") == ["Beta"]
    assert names(annotation_type="object_detection") == []
    assert names(dataset="nonsense") == []
    assert "Nothing found" in html(client, LIST, {"search": "nothing of the kind"})


def test_the_list_says_what_it_is_narrowed_to_and_never_a_strangers_name(client, stranger, data):
    make_training(data)
    assert f"<strong>{data.name}</strong>" in html(client, LIST, {"annotation_data": data.pk})
    assert data.name not in html(stranger, LIST, {"annotation_data": data.pk})


def test_a_list_takes_as_many_queries_for_any_number_of_rows(client, data, django_assert_num_queries):
    for _ in range(3):
        make_training(data)
    html(client, LIST)
    with django_assert_num_queries(5):
        html(client, LIST, {"page_size": 25})
    for _ in range(12):
        train(make_training(data))
    with django_assert_num_queries(5):
        assert html(client, LIST, {"page_size": 25}).count("row-link") == 15


def test_rows_under_way_are_asked_for_until_they_have_ended(client, data):
    task = make_training(data)
    url = f"{LIST}rows/?id={task.pk}"
    assert f'hx-get="{url}"' in html(client, LIST)
    assert "Next in line" in html(client, url)
    advance(row=task, by=data.dataset.owner, status=WorkStatus.RUNNING, progress=40)
    answer = client.get(url)
    assert 'value="40" max="100"' in answer.content.decode()
    assert "HX-Trigger" not in answer.headers
    TrainingTask.objects.update(status=WorkStatus.FINISHED)
    answer = client.get(url)
    assert "deepcap:dataset-settled" in answer.headers["HX-Trigger"]
    assert "every" not in answer.content.decode()
    assert 'hx-trigger="every' not in html(client, LIST)


def test_a_running_task_shows_its_progress_and_curves(client, user, data):
    task = make_training(data)
    advance(row=task, by=user, status=WorkStatus.RUNNING, progress=40, status_detail="Epoch 2 of 5")
    values = [
        Measurement(name, step, value)
        for step, value in enumerate([0.9, 0.5, 0.3])
        for name in ("train_loss", "val_loss")
    ]
    add_metrics(training_task=task, by=user, claim=None, metrics=values)
    page = html(client, task.get_absolute_url())
    assert "Epoch 2 of 5" in page
    assert 'stroke-dasharray="40 100"' in page
    assert page.count("<figure") == 1
    assert page.count("<polyline") == 2
    assert 'points="0.0,40.0 500.0,200.0 1000.0,280.0"' in page
    assert f'hx-get="{LIST}{task.pk}/progress/"' in page
    assert "<html" not in html(client, f"{LIST}{task.pk}/progress/")


def test_a_finished_task_offers_its_model_and_names_its_inferences(client, data):
    task = train(make_training(data))
    job = make_inference(task, data.dataset)
    page = html(client, task.get_absolute_url())
    assert reverse("api:training-task-model", args=[task.pk]) in page
    assert f"/inference-jobs/create/?training_task={task.pk}" in page
    assert job.get_absolute_url() in page
    assert 'hx-trigger="every' not in page
    answer = client.get(f"{LIST}{task.pk}/progress/")
    assert (answer.status_code, "deepcap:dataset-settled" in answer.headers["HX-Trigger"]) == (204, True)


def test_a_failed_task_says_why(client, user, data):
    task = make_training(data)
    advance(row=task, by=user, status=WorkStatus.ERROR, detail="Out of memory <on> GPU 0")
    page = html(client, task.get_absolute_url())
    assert "It ended with an error" in page
    assert "Out of memory &lt;on&gt; GPU 0" in page


def test_without_annotation_data_the_form_says_why_there_is_no_training(client, user, data):
    type(data).objects.update(status=AnnotationDataStatus.IMPORTING)
    page = html(client, f"{LIST}create/")
    assert "Training needs annotation data" in page
    assert '<form method="post" class="usage-form"' not in page
    answer = client.post(f"{LIST}create/", {"name": "x", "annotation_data": data.pk})
    assert answer.status_code == 200
    assert not TrainingTask.objects.exists()


def test_start_training_preselects_and_makes_a_task(client, user, data):
    page = html(client, f"{LIST}create/?annotation_data={data.pk}")
    assert f'<option value="{data.pk}" selected' in page
    answer = client.post(
        f"{LIST}create/",
        {
            "name": "  My model ",
            "annotation_data": data.pk,
            "architecture": "resnet18",
            "hyperparameters": "epochs = 20\nrate=1e-3\naugment = true\nscheduler = cosine",
        },
    )
    task = TrainingTask.objects.get()
    assert answer.url == task.get_absolute_url()
    assert (task.name, task.annotation_data, task.created_by) == ("My model", data, user)
    assert task.hyperparameters == {"epochs": 20, "rate": 0.001, "augment": True, "scheduler": "cosine"}


@pytest.mark.parametrize("line", ["epochs", "= 3", "epochs =", "a = 1\na = 2"])
def test_a_hyperparameter_that_cannot_be_read_keeps_what_was_filled_in(client, data, line):
    answer = client.post(f"{LIST}create/", {"name": "Kept name", "annotation_data": data.pk, "hyperparameters": line})
    page = answer.content.decode()
    assert "field-error" in page
    assert 'value="Kept name"' in page
    assert not TrainingTask.objects.exists()


def test_annotation_data_of_others_cannot_be_chosen(stranger, data):
    assert data.name not in html(stranger, f"{LIST}create/?annotation_data={data.pk}")
    stranger.post(f"{LIST}create/", {"name": "x", "annotation_data": data.pk})
    assert not TrainingTask.objects.exists()
