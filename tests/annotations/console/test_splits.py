"""Splits in the console: the card, the page that shows what would come of it, the dialogs, the training form."""

import re

import pytest
from django.urls import reverse

from annotations.console.splits.urls import urlpatterns
from annotations.models import Split
from datasets.models import Dataset, Image, Study
from tests.annotations.builders import make_annotation_data, make_split
from tests.annotations.combine.world import dataset_of, single
from tests.builders import make_dataset
from tests.usage.builders import make_training
from usage.models import TrainingTask

pytestmark = pytest.mark.django_db

CHOICES = {"train": "2", "validation": "0", "test": "1", "seed": "3"}
NAMES = [pattern.name for pattern in urlpatterns]
OF_ONE = [name for name in NAMES if name not in ("split-card", "split-create")]


@pytest.fixture
def data(user):
    return single(dataset_of(user, "Chest", range(12)), *["x", "y", "y"] * 4)


def url_of(name, data):
    if name not in OF_ONE:
        return reverse(name, args=[data.pk])
    split = data.splits.first() or make_split(data, name="Paper")
    return reverse(name, args=[data.pk, split.pk])


@pytest.mark.parametrize("name", NAMES)
def test_who_is_not_signed_in_is_sent_to_sign_in(anonymous, data, name):
    url = url_of(name, data)
    for answer in (anonymous.get(url), anonymous.post(url)):
        assert (answer.status_code, answer.url) == (302, f"{reverse('login')}?next={url}")


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_finds_nothing_and_changes_nothing(stranger, data, name):
    url = url_of(name, data)
    before = list(Split.objects.values_list("name", flat=True))
    assert stranger.get(url).status_code == 404
    assert stranger.post(url, {**CHOICES, "name": "Theirs"}).status_code in (404, 405)
    assert list(Split.objects.values_list("name", flat=True)) == before
    assert Dataset.objects.count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_owner_is_shown_every_page(client, data, name):
    assert client.get(url_of(name, data)).status_code == 200


def test_a_split_of_other_annotation_data_is_not_found_below_these(client, user, data):
    other = make_split(make_annotation_data(make_dataset(user, studies=3)))
    for name in OF_ONE:
        assert client.get(reverse(name, args=[data.pk, other.pk])).status_code == 404


def test_what_is_previewed_is_what_is_saved(client, data):
    url = url_of("split-create", data)
    page = client.get(url, {**CHOICES, "by_patient": "on", "stratify": "on"}).content.decode()
    assert "No patient, and no image byte for byte, is in two parts." in page
    assert "12 studies name no patient" in page
    [form] = re.findall(r'<form method="post" id="split-save".*?</form>', page, re.DOTALL)
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    sent.pop("csrfmiddlewaretoken", None)
    assert sent == {**CHOICES, "by_patient": "on", "stratify": "on"}
    assert not Split.objects.exists()
    answer = client.post(url, {**sent, "name": "Paper"})
    assert answer.url == data.get_absolute_url()
    split = Split.objects.get()
    assert [(part["name"], part["studies"]) for part in split.report["parts"]] == [("train", 8), ("test", 4)]
    assert re.findall(r'<span class="chart-name" title="([^"]*)"', page) == ["All studies", "y", "x"]
    assert len(re.findall(r'<rect x="[\d.]+" width="[\d.]+" y="1" height="8" fill="#', page)) == 3 * 2
    for part in split.report["parts"]:
        assert re.search(rf"{part['labels']['x']} <small>", page)


def test_what_leaks_is_named_with_examples(client, data):
    Study.objects.filter(dataset=data.dataset).update(patient_key="the same for all")
    Image.objects.filter(dataset=data.dataset).update(blob=data.dataset.images.first().blob)
    page = client.get(url_of("split-create", data), CHOICES).content.decode()
    assert "1 patient is in several parts." in page
    assert "1 image is in several parts, byte for byte." in page
    assert "the same for all" not in page
    assert page.count("<small>(train)</small>") > 1
    page = client.get(url_of("split-create", data), {**CHOICES, "by_patient": "on"}).content.decode()
    assert "There are too few studies: a part would be empty." in page


@pytest.mark.parametrize("change", [{"train": "x"}, {"train": "-1"}, {"train": "nan"}, {"seed": "x"}, {"test": "0"}])
def test_choices_that_cannot_be_are_told_in_a_sentence(client, data, change):
    page = client.get(url_of("split-create", data), {**CHOICES, **change}).content.decode()
    assert 'note-bad" role="alert"' in page
    assert "split-save" not in page


def test_the_card_takes_as_many_queries_for_many_splits(client, data, django_assert_max_num_queries):
    for number in range(8):
        make_training(data, split=make_split(data, name=f"split {number}"))
    with django_assert_max_num_queries(6):
        page = client.get(url_of("split-card", data)).content.decode()
    assert page.count('class="row-link"') == 8
    assert page.count("1 Task") == 8
    assert f'hx-get="{url_of("split-card", data)}"' in client.get(data.get_absolute_url()).content.decode()


def test_a_split_is_renamed_deleted_and_becomes_datasets(client, data):
    split = make_split(data, name="Paper")
    client.post(reverse("split-rename", args=[data.pk, split.pk]), {"name": "Book"})
    split.refresh_from_db()
    assert split.name == "Book"
    assert client.post(reverse("split-datasets", args=[data.pk, split.pk])).url == reverse("dataset-list")
    assert set(Dataset.objects.values_list("name", flat=True)) == {"Chest", "Chest – train", "Chest – test"}
    client.post(reverse("split-delete", args=[data.pk, split.pk]))
    assert not Split.objects.exists()


def test_it_is_explained_why_a_split_that_was_trained_on_stays(client, data):
    split = make_split(data)
    make_training(data, split=split)
    url = reverse("split-delete", args=[data.pk, split.pk])
    page = client.get(url).content.decode()
    assert "1 training task says that it used this split." in page
    assert "<form" not in page
    assert client.post(url).status_code == 409
    assert Split.objects.exists()


def test_the_training_form_offers_the_splits_of_the_chosen_data(client, data, user):
    split = make_split(data, name="Paper")
    make_split(single(dataset_of(user, "other", range(3)), "x", "y", "x"), name="Of others")
    url = reverse("training-task-create")
    assert "Paper" not in client.get(url).content.decode()
    page = client.get(url, {"annotation_data": data.pk, "split": split.pk}).content.decode()
    assert f'<option value="{split.pk}" selected>Paper (train 6 · test 6)' in page
    assert "Of others" not in page
    answer = client.post(url, {"name": "net", "annotation_data": data.pk, "split": split.pk, "hyperparameters": ""})
    task = TrainingTask.objects.get()
    assert (answer.url, task.split) == (task.get_absolute_url(), split)
    assert "Paper" in client.get(answer.url).content.decode()


def test_a_dataset_is_divided_into_new_ones_as_previewed(client, stranger, data):
    url = reverse("dataset-divide", args=[data.dataset_id])
    page = client.get(url, {**CHOICES, "by_patient": "on", "stratify": "on"}).content.decode()
    assert f'<option value="{data.pk}" selected>' in page
    assert [text.strip() for text in re.findall(r"<li>(Chest – .*?)</li>", page)] == [
        "Chest – train (8 studies)",
        "Chest – test (4 studies)",
    ]
    [form] = re.findall(r'<form method="post" id="split-save".*?</form>', page, re.DOTALL)
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    sent.pop("csrfmiddlewaretoken", None)
    assert sent == {**CHOICES, "by_patient": "on", "stratify": "on", "annotation_data": str(data.pk)}
    assert stranger.post(url, sent).status_code == 404
    assert Dataset.objects.count() == 1
    assert client.post(url, sent).url == reverse("dataset-list")
    made = Dataset.objects.exclude(pk=data.dataset_id).order_by("pk")
    assert [each.name for each in made] == ["Chest – train", "Chest – test"]
    assert all(each.combination.annotation_data is not None for each in made)


def test_a_dataset_without_labels_is_divided_too(client, user, data):
    images_only = make_dataset(user, "Knees", studies=3)
    url = reverse("dataset-divide", args=[images_only.pk])
    page = client.get(url, CHOICES).content.decode()
    assert "split-labels" not in page
    assert client.post(url, {**CHOICES, "annotation_data": str(data.pk)}).status_code == 404
    client.post(url, CHOICES)
    made = Dataset.objects.filter(name__startswith="Knees – ")
    assert [each.combination.annotation_data for each in made] == [None, None]


def test_a_dataset_that_is_not_available_is_not_divided(client, user):
    dataset = make_dataset(user, studies=3, status="preparing")
    url = reverse("dataset-divide", args=[dataset.pk])
    assert client.get(url, CHOICES).status_code == 409
    client.post(url, CHOICES)
    assert Dataset.objects.count() == 1
    assert url not in client.get(reverse("dataset-list")).content.decode()
