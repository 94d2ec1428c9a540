"""Results and predictions become annotation data, converted and combined on the way (product.md 13.1 to 13.4)."""

from __future__ import annotations

import io
import json

import pytest

from annotations.errors import ConversionRefused
from annotations.formats.base import Found, Listed
from annotations.formats.masks import Mask
from annotations.importing.reshape import reshaped
from annotations.models import Annotation, AnnotationType, LabelImport
from annotations.tasks import run_import
from datasets.models import Image
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset
from usage.services.exports import export_predictions, export_results
from usage.services.results import store_results
from usage.services.work import advance, finish

from .builders import make_inference, make_project, make_training, train

pytestmark = pytest.mark.django_db
DETECTION, SEGMENTATION = AnnotationType.DETECTION, AnnotationType.SEGMENTATION
SINGLE, MULTI = AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL
FULL = {"size": [16, 20], "counts": [0, 320]}
BOXES = [("0/0.png", "mass", [1, 1, 5, 5]), ("0/0.png", "mass", [9, 9, 5, 5]), ("1/0.png", "node", [1, 1, 5, 5]),
         ("2/0.png", "mass", [1, 1, 5, 5]), ("2/0.png", "node", [9, 9, 5, 5])]  # fmt: skip
MASKS = [("0/0.png", "mass", FULL), ("2/0.png", "node", FULL)]


def coco(dataset, said):
    images = {image.path: image.pk for image in Image.objects.filter(dataset=dataset)}
    sizes = {"width": 20, "height": 16}
    categories = {"mass": 1, "node": 2, "scar": 3}
    annotations = []
    for number, (path, label, shape) in enumerate(said, 1):
        key = "bbox" if isinstance(shape, list) else "segmentation"
        place = {"id": number, "image_id": images[path], "category_id": categories[label], key: shape}
        annotations.append(place | ({"iscrowd": 1} if key == "segmentation" else {}))
    document = {
        "images": [{"id": pk, "file_name": path, **sizes} for path, pk in images.items()],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": annotations,
    }
    return io.BytesIO(json.dumps(document).encode())


@pytest.fixture
def dataset(user):
    return make_dataset(user, studies=4)


def with_results(dataset, annotation_type, said):
    types = [{"annotation_type": annotation_type, "labels": ["mass", "node", "scar"]}]
    project = make_project(dataset, annotators=[dataset.owner], annotation_types=types, publish=True)
    file = coco(dataset, said)
    store_results(
        row=project, by=dataset.owner, claim=None, file=file, filename="r.json", file_format="coco",
        results_type=annotation_type,
    )  # fmt: skip
    return project


def said_of(data):
    """Return {path: sorted labels that its image has}, of listed images."""
    run_import(LabelImport.objects.get(annotation_data=data).pk)
    data.refresh_from_db()
    assert data.status == "available", data.status_detail
    found = {path: [] for path in data.listed.values_list("image__path", flat=True)}
    rows = Annotation.objects.filter(item__annotation_data=data).exclude(value=0)
    for path, label in rows.values_list("item__image__path", "label__name"):
        found[path].append(label)
    return {path: sorted(labels) for path, labels in found.items()}


def test_as_they_are(dataset, user):
    data = export_results(project=with_results(dataset, DETECTION, BOXES), by=user)
    assert said_of(data) == {
        "0/0.png": ["mass", "mass"], "1/0.png": ["node"], "2/0.png": ["mass", "node"], "3/0.png": [],
    }  # fmt: skip
    assert data.annotation_type == DETECTION
    assert data.source_kind == "annotation_project"


@pytest.mark.parametrize(("source", "said"), [(DETECTION, BOXES), (SEGMENTATION, MASKS)])
def test_boxes_and_masks_become_labels_that_an_image_has(dataset, user, source, said):
    data = export_results(project=with_results(dataset, source, said), by=user, annotation_type=MULTI)
    expected = {path: sorted({label for other, label, _shape in said if other == path})
                for path in ("0/0.png", "1/0.png", "2/0.png", "3/0.png")}  # fmt: skip
    assert said_of(data) == expected
    assert data.annotation_type == MULTI


def test_only_images_of_one_class_have_a_single_label(dataset, user):
    project = with_results(dataset, DETECTION, BOXES)
    assert said_of(export_results(project=project, by=user, annotation_type=SINGLE)) == {
        "0/0.png": ["mass"], "1/0.png": ["node"],
    }  # fmt: skip
    combined = export_results(project=project, by=user, annotation_type=SINGLE, merge={"lesion": ["mass", "node"]})
    assert said_of(combined) == {"0/0.png": ["lesion"], "1/0.png": ["lesion"], "2/0.png": ["lesion"]}


def test_masks_become_the_boxes_around_them_and_as_many(dataset, user):
    data = export_results(project=with_results(dataset, SEGMENTATION, MASKS), by=user, annotation_type=DETECTION)
    assert said_of(data) == {"0/0.png": ["mass"], "1/0.png": [], "2/0.png": ["node"], "3/0.png": []}
    boxes = Annotation.objects.filter(item__annotation_data=data).values_list("x", "y", "width", "height", "counts")
    assert set(boxes) == {(0, 0, 20, 16, None)}


def test_an_empty_mask_shows_nothing():
    """Formats that keep empty masks say so of an image that was looked at."""
    found = [Found(7, "mass", 1, mask=Mask.empty(4, 4)), Found(8, "mass", 2, mask=Mask.from_runs(4, 4, [0, 16]))]
    pairs = [["mass", "mass"]]
    boxes = list(reshaped(found, {"annotation_type": DETECTION, "pairs": pairs}, source_type=SEGMENTATION))
    assert boxes == [Listed(7, 1), Found(8, "mass", 2, bbox=(0, 0, 4, 4))]
    classes = list(reshaped(found, {"annotation_type": SINGLE, "pairs": pairs}, source_type=SEGMENTATION))
    assert classes == [Found(8, "mass", 2, value=1)]


def test_labels_are_chosen_and_combined(dataset, user):
    project = with_results(dataset, DETECTION, BOXES)
    data = export_results(project=project, by=user, labels=["scar"], merge={"lesion": ["node"]})
    assert said_of(data) == {"0/0.png": [], "1/0.png": ["lesion"], "2/0.png": ["lesion"], "3/0.png": []}
    assert set(data.labels.values_list("name", flat=True)) == {"lesion", "scar"}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"annotation_type": SEGMENTATION}, "wrong_type"),
        ({"labels": ["unknown"]}, "label_unknown"),
        ({"labels": []}, "no_labels"),
    ],
)
def test_what_cannot_be_made_is_refused(dataset, user, wanted, code):
    with pytest.raises(ConversionRefused) as refused:
        export_results(project=with_results(dataset, DETECTION, BOXES), by=user, **wanted)
    assert refused.value.code == code


def test_predictions_are_converted_over_http_and_another_file_is_bent_the_same_way(api, dataset, user):
    truth = make_annotation_data(dataset, DETECTION, ["mass", "node", "scar"])
    job = make_inference(train(make_training(truth)), dataset)
    advance(row=job, by=user, status="running")
    store_results(row=job, by=user, claim=None, file=coco(dataset, BOXES), filename="p.json", file_format="coco")
    finish(row=job, by=user)
    body = {"annotation_type": "multi_label_classification", "merge": {"lesion": ["mass", "node"]}, "labels": []}
    answer = api.post(f"/api/v1/inference-jobs/{job.pk}/annotation-data/", body, format="json")
    assert answer.status_code == 202, answer.json()
    data = export_predictions(inference_job=job, by=user).__class__.objects.get(pk=answer.json()["id"])
    assert said_of(data) == {"0/0.png": ["lesion"], "1/0.png": ["lesion"], "2/0.png": ["lesion"], "3/0.png": []}


def test_the_dialog_offers_types_and_labels_and_makes_what_was_chosen(client, dataset, user):
    client.force_login(user)
    project = with_results(dataset, DETECTION, BOXES)
    page = client.get(f"{project.get_absolute_url()}export/").content.decode()
    assert 'value="multi_label_classification"' in page
    assert 'value="image_segmentation"' not in page
    assert page.count('name="keep_') == 3
    form = {"name": "Found", "annotation_type": "multi_label_classification", "chosen": "1", "keep_0": "1"}
    form |= {"keep_1": "1", "as_0": "lesion", "as_1": "lesion"}
    answer = client.post(f"{project.get_absolute_url()}export/", form)
    data = dataset.annotation_data.get(name="Found")
    assert answer.url == data.get_absolute_url()
    assert said_of(data) == {"0/0.png": ["lesion"], "1/0.png": ["lesion"], "2/0.png": ["lesion"], "3/0.png": []}
    assert set(data.labels.values_list("name", flat=True)) == {"lesion"}
