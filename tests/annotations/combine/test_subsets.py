"""A dataset out of some of the studies of another, with several annotation data."""

import re

import pytest
from django.urls import reverse

from annotations import tasks
from annotations.errors import CombinationRefused
from annotations.models import Annotation, AnnotationData, AnnotationDataStatus, AnnotationType, SourceKind
from annotations.services.combinations import Wanted, combine_datasets
from annotations.services.listings import ImageFilter
from annotations.services.subsets import make_subset, studies_of
from annotations.statistics import recount_all as recount_annotations
from datasets.ingest.recount import recount_all
from datasets.models import Dataset, DatasetStatus, Study
from tests.annotations.builders import make_annotation_data

from .world import dataset_of, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def whole(user):
    return dataset_of(user, "whole", range(6))


def studies(dataset):
    return list(Study.objects.filter(dataset=dataset).order_by("position").values_list("pk", flat=True))


def done(dataset):
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE, dataset.status_detail
    assert recount_all() == 0
    assert recount_annotations() == 0
    return dataset


def labels_of(data):
    rows = Annotation.objects.filter(item__annotation_data=data, value=1)
    return dict(rows.values_list("item__image__path", "label__name"))


def test_all_annotation_data_come_along_for_the_studies_that_do(user, whole):
    classes = single(whole, "x", "y", "x", None, "y", "x")
    boxes = make_annotation_data(whole, AnnotationType.DETECTION, ["b"], name="boxes")
    chosen = [studies(whole)[place] for place in (4, 0, 3)]
    made = make_subset(dataset=whole, studies=chosen, by=user, name="part", annotation_data=[classes, boxes])
    assert set(made.annotation_data.values_list("status", flat=True)) == {AnnotationDataStatus.IMPORTING}
    done(made)
    assert (made.study_count, made.annotation_data_count) == (3, 2)
    by_name = {data.name: data for data in made.annotation_data.all()}
    assert set(by_name) == {classes.name, "boxes"}
    assert labels_of(by_name[classes.name]) == {"0.png": "x", "4.png": "y"}
    assert (by_name["boxes"].image_count, by_name["boxes"].annotation_count) == (3, 3)
    assert by_name["boxes"].source_kind == SourceKind.COMBINED
    assert list(by_name["boxes"].listed.order_by("position").values_list("position", flat=True)) == [0, 1, 2]


def test_annotation_data_that_go_while_they_are_copied_are_left_out(user, whole):
    kept, gone = single(whole, *"xyxyxy"), make_annotation_data(whole, name="gone")
    made = make_subset(dataset=whole, studies=studies(whole)[:2], by=user, name="p", annotation_data=[gone, kept])
    AnnotationData.objects.filter(dataset=made, name="gone").delete()
    done(made)
    assert labels_of(made.annotation_data.get()) == {"0.png": "x", "1.png": "y"}


def test_a_filter_selects_the_studies_of_its_images(whole):
    data = single(whole, "x", "y", "x", None, "y", "x")
    assert studies_of(data, ImageFilter(labels=("y",))) == [studies(whole)[1], studies(whole)[4]]


def test_more_studies_than_a_statement_has_parameters(user, whole):
    Study.objects.bulk_create(
        Study(dataset=whole, key=f"k{n}", name=f"k{n}", position=6 + n, image_count=0) for n in range(33_000)
    )
    made = make_subset(dataset=whole, studies=studies(whole), by=user, name="all")
    assert made.sources.get().image_count == 6


def test_annotation_data_of_another_dataset_are_not_found(user, whole):
    other = make_annotation_data(dataset_of(user, "other", [9]))
    with pytest.raises(CombinationRefused) as refusal:
        make_subset(dataset=whole, studies=studies(whole)[:1], by=user, name="p", annotation_data=[other])
    assert refusal.value.status == 404


# --- the console ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(client, user):
    client.force_login(user)
    return client


def test_studies_are_picked_over_pages_and_become_a_dataset(client, whole, other_user):
    data = single(whole, *"xyxyxy")
    ids, pick = studies(whole), reverse("dataset-pick", args=[whole.pk])
    client.post(pick, {"shown": ids[:3], "study": ids[1:3]})
    client.post(pick, {"shown": ids[3:], "study": [ids[5], 10**6]})
    page = client.get(whole.get_absolute_url()).content.decode()
    assert "3 studies selected" in page
    assert len(re.findall(r'name="study"[^>]* checked', page)) == 3
    assert "3 studies selected" in client.get(data.get_absolute_url()).content.decode()
    url = reverse("dataset-subset", args=[whole.pk])
    assert "<strong>3 studies</strong> of whole" in client.get(url).content.decode()
    answer = client.post(url, {"name": "part", "annotation_data": [data.pk]})
    made = Dataset.objects.get(name="part")
    assert answer.url == made.get_absolute_url()
    assert "Combined from" in client.get(answer.url).content.decode()
    done(made)
    assert labels_of(made.annotation_data.get()) == {"1.png": "y", "2.png": "x", "5.png": "y"}
    assert "studies selected" not in client.get(whole.get_absolute_url()).content.decode()
    client.force_login(other_user)
    assert client.post(pick, {"shown": ids, "study": ids}).status_code == 404
    assert client.get(url).status_code == 404


def test_what_a_filter_shows_becomes_a_dataset(client, whole):
    data = single(whole, "x", "y", "x", None, "y", "x")
    page = client.get(data.get_absolute_url(), {"label": "y"}).content.decode()
    url = f"{reverse('dataset-subset', args=[whole.pk])}?label=y&annotation_data={data.pk}"
    assert url.replace("&", "&amp;") in page
    assert "<strong>2 studies</strong>" in client.get(url).content.decode()
    client.post(url, {"name": "ys"})
    made = done(Dataset.objects.get(name="ys"))
    assert (made.study_count, made.annotation_data_count) == (2, 0)


def test_a_whole_page_is_picked_and_all_are_forgotten(client, whole):
    ids, pick = studies(whole), reverse("dataset-pick", args=[whole.pk])
    answer = client.post(pick, {"shown": ids, "all": "1", "page": "//evil.example/"})
    assert answer.url == whole.get_absolute_url()
    here = f"{whole.get_absolute_url()}?select=1"
    assert "6 studies selected" in client.get(here).content.decode()
    assert client.post(pick, {"shown": ids, "none": "1", "page": here}).url == here
    assert "0 studies selected" in client.get(here).content.decode()


def test_what_is_made_of_de_identified_datasets_alone_is_de_identified(user, whole):
    other = dataset_of(user, "other", [7])
    Dataset.objects.filter(pk=whole.pk).update(deidentified=True)
    both = Wanted([{"dataset": whole.pk}, {"dataset": other.pk}])
    assert make_subset(dataset=whole, studies=studies(whole)[:1], by=user, name="part").deidentified
    assert not combine_datasets(wanted=both, by=user, name="both").deidentified
