"""The wizard that combines datasets: what each step tells, keeps and refuses; and how many queries it asks."""

import re

import pytest
from django.urls import reverse

from annotations import tasks
from annotations.console.combine.urls import urlpatterns
from annotations.models import AnnotationType, Combination
from annotations.services.combinations import Wanted, combine_datasets
from datasets.models import Dataset, DatasetStatus
from deepcap.accounts.models import User
from tests.annotations.builders import make_annotation_data
from tests.annotations.combine.world import dataset_of, single

pytestmark = pytest.mark.django_db

START = "/datasets/combine/"


@pytest.fixture
def pair(user):
    """Two datasets, one image in both, labelled differently there; labels differ in case and in spelling."""
    a, b = dataset_of(user, "a", [1, 2, 3, 4]), dataset_of(user, "b", [4, 5, 6], folder="b/")
    single(a, "Normal", "Pneumonia", "Pneumonia", "Normal")
    single(b, "pneumonea", "normal", "Other")
    return a, b


def begun(client, *datasets):
    """Tick the datasets of the first step and return the address that the answer names."""
    ids = [dataset.pk for dataset in datasets]
    answer = client.post(START, {"shown": ids, "dataset": ids, "next": "1"})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def at(url, step):
    return f"{reverse(step)}?{url.partition('?')[2]}"


def text_of(answer):
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_first_step_lists_what_is_available_and_keeps_what_is_ticked(client, user, stranger, other_user):
    a, b = dataset_of(user, "Chest", [1]), dataset_of(user, "Heart", [2])
    dataset_of(other_user, "Theirs", [3])
    Dataset.objects.create(owner=user, name="On its way", status=DatasetStatus.PREPARING)
    page = text_of(client.get(START))
    assert "Chest" in page
    assert "Heart" in page
    assert "Theirs" not in page
    assert "On its way" not in page
    answer = client.post(START, {"shown": [a.pk], "dataset": [a.pk]}, headers={"HX-Request": "true"})
    url = answer.headers["HX-Replace-Url"]
    assert "1 dataset selected" in text_of(answer)
    answer = client.post(url, {"shown": [b.pk], "dataset": [b.pk]})
    assert "2 datasets selected" in text_of(answer)
    answer = client.post(url, {"shown": [b.pk]})
    assert "1 dataset selected" in text_of(client.get(url))
    assert stranger.get(url).status_code == 200
    assert "No dataset selected yet" in text_of(stranger.get(url))


def test_one_dataset_is_not_enough_and_a_strangers_is_not_taken(client, user, other_user):
    a, theirs = dataset_of(user, "a", [1]), dataset_of(other_user, "Theirs", [3])
    answer = client.post(START, {"shown": [a.pk], "dataset": [a.pk, theirs.pk], "next": "1"})
    assert answer.status_code == 422
    assert "Select at least two datasets." in answer.content.decode()


def test_types_that_no_dataset_has_are_explained_and_the_only_choice_is_made(client, pair):
    url = begun(client, *pair)
    page = text_of(client.get(url))
    assert page.count("Unavailable") == 3
    assert "The dataset you selected has no object detection data" in page
    assert "7 studies , 7 annotated, 5 labels" in page


def test_a_dataset_may_give_its_images_alone(client, pair):
    a, b = pair
    url = begun(client, a, b)
    form = {"include": "1", "annotation_type": AnnotationType.SINGLE_LABEL, f"data_{b.pk}": "0"}
    page = text_of(client.post(url, {**form, f"data_{a.pk}": a.annotation_data.get().pk}))
    assert "7 studies , 4 annotated, 2 labels" in page
    assert "7 studies , 4 annotated, 2 labels" in text_of(client.get(url))
    answer = client.post(url, {**form, f"data_{a.pk}": "0", "next": "1"})
    assert answer.status_code == 422
    assert "Select annotation data of at least one dataset" in answer.content.decode()


def test_labels_are_matched_only_where_they_are_surely_the_same(client, pair):
    url = at(begun_with_data(client, pair), "combine-labels")
    page = client.get(url).content.decode()
    assert "5 labels become 4" in text_of(client.get(url))
    assert "Similar spelling: check" in page
    assert "Differs in case" in page
    [number] = re.findall(r'name="accept" value="(\d+)"', page)
    form = dict(re.findall(r'name="((?:of|as|keep|suggested)_\d+)"[^>]*?value="([^"]*)"', page))
    assert "5 labels become 3" in text_of(client.post(url, {**form, "accept": number}))
    assert "5 labels become 3" in text_of(client.get(url))
    del form[f"keep_{number}"]
    assert "1 is left out" in text_of(client.post(url, form))
    assert "5 labels become 5" in text_of(client.post(url, {**form, "as_they_are": "1"}))
    assert "5 labels become 4" in text_of(client.post(url, {**form, "as_proposed": "1"}))


def begun_with_data(client, pair):
    url = begun(client, *pair)
    chosen = {f"data_{dataset.pk}": dataset.annotation_data.get().pk for dataset in pair}
    form = {"include": "1", "annotation_type": AnnotationType.SINGLE_LABEL, **chosen, "next": "1"}
    answer = client.post(url, form)
    assert answer.url == at(url, "combine-labels")
    return url


def test_the_outcome_tells_numbers_conflicts_duplicates_and_labels(client, pair):
    url = begun_with_data(client, pair)
    page = text_of(client.get(at(url, "combine-outcome")))
    assert "The datasets say different things of 1 image." in page
    assert "1 image is in several of the datasets, byte for byte. All are kept." in page
    assert "Label distribution, before and after" in page
    page = text_of(client.post(at(url, "combine-outcome"), {"duplicates": "keep_once"}))
    assert "Each is kept once." in page
    conflicts = at(url, "combine-conflicts")
    page = text_of(client.get(conflicts))
    assert page.index("Kept") < page.index("Not kept")
    client.post(conflicts, {"on_conflict": "leave_unlabelled"})
    assert text_of(client.get(conflicts)).count("Not kept") == 2
    assert "checked" in client.get(at(url, "combine-review")).content.decode()


def test_it_is_started_as_reviewed_and_can_be_repeated(client, user, pair):
    url = at(begun_with_data(client, pair), "combine-review")
    assert 'value="a + b"' in client.get(url).content.decode()
    refused = client.post(url, {"name": "", "data_name": "labels", "start": "1"})
    assert refused.status_code == 400
    assert "A dataset needs a name." in refused.content.decode()
    answer = client.post(url, {"name": "Both", "data_name": "labels", "duplicates": "keep_once", "start": "1"})
    dataset = Dataset.objects.get(name="Both")
    assert answer.url == dataset.get_absolute_url()
    recipe = Combination.objects.get(dataset=dataset).recipe
    assert recipe["duplicates"] == "keep_once"
    assert recipe["sources"][1]["labels"]["normal"] == "Normal"
    assert recipe["sources"][1]["labels"]["pneumonea"] == "pneumonea"
    assert client.get(url).url.startswith(START)  # the draft has been used
    again = client.get(START, {"again": dataset.pk})
    page = text_of(client.get(again.url))
    assert "2 datasets selected" in page
    page = client.get(at(again.url, "combine-review")).content.decode()
    assert 'value="Both"' in page
    assert re.search(r'value="keep_once" checked', page)


def test_a_source_that_goes_meanwhile_is_chosen_no_more(client, pair):
    url = begun_with_data(client, pair)
    Dataset.objects.filter(pk=pair[1].pk).update(status=DatasetStatus.DELETING)
    assert client.get(at(url, "combine-review")).url.startswith(f"{START}?draft=")
    assert "1 dataset selected" in text_of(client.get(at(url, "dataset-combine")))


def test_what_a_strangers_dataset_was_made_of_is_not_told(stranger, user, pair):
    assert stranger.get(START, {"again": pair[0].pk}).status_code == 404
    assert "There is no dataset to combine" in text_of(stranger.get(START, {"dataset": pair[0].pk}, follow=True))


def test_images_alone_are_combined_without_a_label_in_sight(client, user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2])
    url = begun(client, a, b)
    assert "None of the datasets you selected has annotation data" in text_of(client.get(url))
    answer = client.post(url, {"next": "1"})
    assert answer.url == at(url, "combine-review")
    assert "Annotation data name" not in text_of(client.get(answer.url))
    client.post(answer.url, {"name": "Both", "start": "1"})
    assert Combination.objects.get().annotation_data is None


STEPS = {
    "dataset-combine": 8,
    "combine-annotation-data": 10,
    "combine-labels": 14,
    "combine-review": 10,
    "combine-outcome": 40,
    "combine-conflicts": 40,
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_asks_as_many_queries_for_any_number_of_datasets(client, user, step, django_assert_max_num_queries):
    for number in range(12):
        dataset = dataset_of(user, f"d{number}", [number, number + 1], folder=f"{number}/")
        make_annotation_data(dataset, labels=[f"x{number}", f"y{number}"])
    few, many = list(Dataset.objects.order_by("pk")[:2]), list(Dataset.objects.order_by("pk"))
    urls = [at(begun_with_data(client, each), step) for each in (few, many)]
    assert User.objects.exists()
    for url in urls:
        client.get(url)
    counted = []
    for url in urls:
        with django_assert_max_num_queries(STEPS[step]) as queries:
            assert client.get(url).status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1]


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_who_is_not_signed_in_is_sent_to_sign_in(anonymous, pattern):
    url = reverse(pattern.name)
    for answer in (anonymous.get(url), anonymous.post(url)):
        assert answer.status_code == 302
        assert answer.url == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("step", [step for step in STEPS if step != "dataset-combine"])
def test_a_step_without_the_steps_before_it_leads_back(client, step):
    assert client.get(reverse(step)).url.startswith(START)
    assert client.post(reverse(step), {"start": "1"}).url.startswith(START)


def test_thousands_of_labels_are_matched_a_page_at_a_time(client, user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2], folder="b/")
    names = [f"{letter}{number}" for letter in "ABCDE" for number in range(700)]
    make_annotation_data(a, AnnotationType.DETECTION, names)
    make_annotation_data(b, AnnotationType.DETECTION, ["a1", "zebra"])
    url = begun(client, a, b)
    chosen = {f"data_{d.pk}": d.annotation_data.get().pk for d in (a, b)}
    client.post(
        at(url, "combine-annotation-data"),
        {"include": "1", "annotation_type": AnnotationType.DETECTION, **chosen, "next": "1"},
    )
    labels = at(url, "combine-labels")
    page = client.get(labels)
    context = page.context
    shown = [spelling for group in context["groups"] for spelling in group.spellings]
    assert (len(shown), context["spelling_count"], context["not_shown"]) == (400, 3_502, 3_102)
    assert [each.name for each in context["groups"][0].spellings] == ["A1", "a1"]
    assert "3,102 more labels" in text_of(page)
    assert "only spelt alike are not looked for" in text_of(page)

    found = client.get(f"{labels}&search=ZEB")
    [group] = found.context["groups"]
    [zebra] = group.spellings
    fields = {f"of_{zebra.number}": "zebra", f"as_{zebra.number}": "horse", f"keep_{zebra.number}": "1"}
    answer = client.post(f"{labels}&search=ZEB", fields)
    assert [each.becomes for group in answer.context["groups"] for each in group.spellings] == ["horse"]
    results = client.get(labels).context["results"]
    assert ("horse" in results, "zebra" in results, len(results)) == (True, False, 3_501)
    assert "No label has this in its name" in text_of(client.get(f"{labels}&search=unheard"))
    client.post(labels, {"as_they_are": "1"})
    assert len(client.get(labels).context["results"]) == 3_502


def test_what_was_picked_is_not_widened_when_the_dataset_that_knows_is_gone(client, user):
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", [9], folder="b/")
    picked = list(a.studies.values_list("pk", flat=True)[:2])
    subset = combine_datasets(wanted=Wanted([{"dataset": a.pk, "studies": picked}]), by=user, name="subset")
    tasks.run_combination(subset.combination.pk)
    first = client.get(f"{START}?again={subset.pk}").url
    assert "1 dataset selected" in text_of(client.get(first))
    ids = [a.pk, b.pk]
    url = client.post(first, {"shown": ids, "dataset": ids, "next": "1"}).url
    Dataset.objects.filter(pk=subset.pk).delete()
    answer = client.post(at(url, "combine-review"), {"name": "whole", "start": "1"})
    assert answer.status_code == 302
    assert not Dataset.objects.filter(name="whole").exists()
    assert "No dataset selected yet" in text_of(client.get(first))
