"""Overlays: annotations by image, in the shape of the contract, in a number of queries that does not grow."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import AnnotationDataStatus, AnnotationType, SourceKind
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(user):
    return make_dataset(user, studies=2, images=3).studies.get(position=0)


def told(api, study, data, **query):
    answer = api.get(f"/viewer/studies/{study.pk}/annotations/", {"annotation_data": data.pk, **query})
    assert answer.status_code == 200
    return answer.json()


def test_annotations_have_the_shape_of_the_contract(api, study):
    classified, boxed, masked = study.images.order_by("position")
    rows = {
        classified: [Row("lesion", value=1), Row("cyst", value=0)],
    }
    data = make_annotation_data(study.dataset, AnnotationType.MULTI_LABEL, ["cyst", "lesion"], rows)
    said = told(api, study, data)
    assert said["images"] == {
        str(classified.pk): [{"label": "lesion", "value": 1}, {"label": "cyst", "value": 0}],
    }
    boxes = {boxed: [Row("lesion", box=(1, 2, 3, 4.5), score=0.75, frame=2)], masked: []}
    data = make_annotation_data(study.dataset, AnnotationType.DETECTION, ["lesion"], boxes)
    assert told(api, study, data)["images"] == {
        str(boxed.pk): [{"label": "lesion", "bbox": [1, 2, 3, 4.5], "score": 0.75, "frame": 2}],
        str(masked.pk): [],
    }
    counts = "0T9l3"
    masks = {masked: [Row("lesion", box=(0, 0, 2, 2), counts=counts)]}
    data = make_annotation_data(study.dataset, AnnotationType.SEGMENTATION, ["lesion"], masks)
    assert told(api, study, data)["images"] == {
        str(masked.pk): [
            {"label": "lesion", "bbox": [0, 0, 2, 2], "segmentation": {"size": [16, 20], "counts": counts}}
        ]
    }


def test_labels_come_with_their_colours_and_predictions_are_called_so(api, study):
    truth = make_annotation_data(study.dataset, AnnotationType.DETECTION, ["a", "b"])
    guess = make_annotation_data(study.dataset, source_kind=SourceKind.INFERENCE_JOB)
    listed = api.get(f"/viewer/studies/{study.pk}/scene/").json()["annotation_data"]
    assert {each["id"]: each["role"] for each in listed} == {truth.pk: "ground_truth", guess.pk: "prediction"}
    [described] = [each for each in listed if each["id"] == truth.pk]
    assert [label["name"] for label in described["labels"]] == ["a", "b"]
    assert all(len(label["color"]) == 7 for label in described["labels"])
    assert told(api, study, truth)["annotation_data"] == described
    assert api.get(described["annotations_url"]).json()["annotation_data"] == described


def test_only_data_that_list_an_image_of_the_study_are_offered(api, study):
    other = study.dataset.studies.get(position=1).images.first()
    make_annotation_data(study.dataset, rows={other: [Row("normal", value=1)]})
    hidden = make_annotation_data(study.dataset, status=AnnotationDataStatus.DELETING)
    running = make_annotation_data(study.dataset, status=AnnotationDataStatus.IMPORTING)
    assert api.get(f"/viewer/studies/{study.pk}/scene/").json()["annotation_data"] == []
    for data in (hidden, running):
        answer = api.get(f"/viewer/studies/{study.pk}/annotations/", {"annotation_data": data.pk})
        assert answer.status_code == 404


def test_single_images_may_be_asked_for(api, study):
    data = make_annotation_data(study.dataset)
    first, second, _third = study.images.order_by("position")
    assert set(told(api, study, data)["images"]) == {str(image.pk) for image in study.images.all()}
    assert set(told(api, study, data, image=[first.pk, second.pk])["images"]) == {str(first.pk), str(second.pk)}
    elsewhere = study.dataset.images.exclude(study=study).first()
    assert told(api, study, data, image=[elsewhere.pk])["images"] == {}


def test_any_number_of_annotations_takes_the_same_queries(api, user):
    costs = []
    for images in (1, 40):
        study = make_dataset(user, studies=1, images=images).studies.get()
        rows = {image: [Row("a", box=(n, 0, 1, 1)) for n in range(images)] for image in study.images.all()}
        data = make_annotation_data(study.dataset, AnnotationType.DETECTION, ["a"], rows)
        with CaptureQueriesContext(connection) as queries:
            assert sum(map(len, told(api, study, data)["images"].values())) == images * images
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


def test_unchanged_annotations_are_not_sent_again(api, study):
    data = make_annotation_data(study.dataset)
    url = f"/viewer/studies/{study.pk}/annotations/?annotation_data={data.pk}"
    etag = api.get(url).headers["ETag"]
    assert api.get(url, headers={"If-None-Match": etag}).status_code == 304
