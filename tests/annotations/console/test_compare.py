"""``/datasets/compare/`` and ``/api/v1/datasets/compare/``: the numbers, the studies, nothing of strangers."""

import pytest
from django.urls import reverse

from datasets.models import Study
from tests.annotations.combine.world import dataset_of, single

pytestmark = pytest.mark.django_db

URL = "/datasets/compare/"
API = "/api/v1/datasets/compare/"


@pytest.fixture
def pair(user):
    a, b = dataset_of(user, "Autumn", range(5)), dataset_of(user, "Winter", range(3, 9), folder="w/")
    Study.objects.filter(dataset__in=(a, b), position=0).update(patient_key="0123456789abcdef")
    single(a, "Covid", "Covid", "normal", None, None)
    single(b, *["COVID", "x"] * 3)
    return {"a": a.pk, "b": b.pk}


def test_a_page_without_datasets_asks_for_them(client, pair):
    page = client.get(URL).content.decode()
    assert "Choose two datasets" in page
    assert page.count(">Autumn</option>") == 2
    assert f'{URL}?a={pair["a"]}"' in client.get(reverse("dataset-detail", args=[pair["a"]])).content.decode()
    assert "Choose two different datasets." in client.get(URL, {"a": pair["a"], "b": pair["a"]}).content.decode()


def test_two_datasets_are_shown_beside_each_other(client, pair):
    page = client.get(URL, pair).content.decode()
    assert '<th scope="row">Images in both</th><td class="num">2</td><td class="num">2</td>' in page
    assert '<th scope="row">Patients in both</th><td class="num">1</td><td class="num">1</td>' in page
    assert page.count('class="compare-pair"') == 2
    assert "Differ in case" in page
    people = client.get(URL, {**pair, "show": "patients"}).content.decode()
    assert people.count('class="compare-pair"') == 1
    assert "0123456789abcdef" not in page + people
    assert client.get(URL, {**pair, "show": "only_b"}).content.decode().count('class="thumb"') == 4


def test_strangers_and_people_not_signed_in_see_nothing(anonymous, stranger, client, other_user, pair):
    assert anonymous.get(URL, pair).status_code == 302
    assert stranger.get(URL, pair).status_code == 404
    assert stranger.get(URL, {"a": "x"}).status_code == 404
    assert "Autumn" not in stranger.get(URL).content.decode()
    theirs = dataset_of(other_user, "Theirs", range(2))
    for address in (URL, API, f"{API}studies/"):
        assert client.get(address, {**pair, "b": theirs.pk}).status_code == 404


def test_the_page_takes_as_many_queries_for_many_studies(client, user, django_assert_max_num_queries):
    for size in (3, 24):
        a, b = dataset_of(user, f"a{size}", range(size)), dataset_of(user, f"b{size}", range(size), folder="b/")
        with django_assert_max_num_queries(16):
            client.get(URL, {"a": a.pk, "b": b.pk})


def test_the_api_says_the_same_and_pages(client, pair):
    found = client.get(API, pair).json()
    assert (found["shared_files"], found["shared_patients"], found["a"]["own_images"]) == (2, 1, 3)
    assert {"match": "case", "a": {"Covid": 2}, "b": {"COVID": 3}} in found["labels"]
    page = client.get(f"{API}studies/", {**pair, "page_size": 1}).json()
    assert [(row["name"], [study["name"] for study in row["beside"]]) for row in page["results"]] == [
        ("3.png", ["w/0.png"])
    ]
    last = client.get(page["next"]).json()
    assert ([row["name"] for row in last["results"]], last["next"]) == (["4.png"], None)
    assert client.get(f"{API}studies/", {**pair, "kind": "x"}).status_code == 400
    assert client.get(API, {**pair, "b": pair["a"]}).json()["code"] == "same_dataset"
