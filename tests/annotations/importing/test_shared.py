"""Every labelled zip of the larger collection gives what its list says, where it is present."""

from __future__ import annotations

import json
from pprint import pformat

import pytest

from annotations.formats import Mask
from annotations.models import Annotation, AnnotationData, Label
from datasets.models import DatasetStatus

pytestmark = pytest.mark.django_db

SINGLE, MULTI, BOXES, MASKS = (
    "single_label_classification",
    "multi_label_classification",
    "object_detection",
    "image_segmentation",
)
SETS = {  # the annotation data of each zip, by the end of their names: type, images, annotations
    "label_single_mednist.zip": {"_label": (SINGLE, 120, 120)},
    "label_single_noext_nested_bom_crlf.zip": {"_label": (SINGLE, 60, 60)},
    "label_single_numeric_quoted.zip": {"_label": (SINGLE, 60, 60)},
    "label_multi_bccd.zip": {"_label": (MULTI, 40, 120)},
    "label_detection_bccd.zip": {"_label": (BOXES, 30, 614)},
    "label_detection_float_bccd.zip": {"_label": (BOXES, 10, 206)},
    "class_folders_mednist.zip": {"_classes": (SINGLE, 150, 150)},
    "class_folders_nested_mednist.zip": {"_classes": (SINGLE, 75, 75)},
    "labelme_embedded_bccd.zip": {"-0": (MULTI, 12, 30), "-1": (BOXES, 12, 136)},
    "labelme_separate_bccd.zip": {"-0": (MULTI, 12, 36), "-1": (BOXES, 12, 136)},
    "labelme_polygon_ct_liver.zip": {"-0": (MULTI, 3, 6), "-1": (MASKS, 3, 3)},
    "coco_bccd.zip": {"_instances_default": (BOXES, 20, 427)},
    "coco_segmentation_ct_liver.zip": {"_instances_default": (MASKS, 3, 3)},
    "voc_bccd.zip": {"_voc": (BOXES, 12, 215)},
    "yolo_bccd.zip": {"_yolo": (BOXES, 12, 215)},
    "dicom_series_seg_ct_liver.zip": {"_liver": (MASKS, 3, 3)},
    "dicom_series_seg_overlaps.zip": {"_partial_overlaps": (MASKS, 3, 7)},
    "dicom_label_csv.zip": {"_label": (SINGLE, 9, 9)},
}
LEFT_OUT = {"voc_bccd.zip": ["ImageSets/Main/default.txt"]}  # a list of images, no labels


@pytest.fixture
def zips(shared_data):
    return json.loads((shared_data / "zips" / "expected.json").read_text())


def counts(data: AnnotationData, **only) -> dict[str, int]:
    """Return the annotations of each class, those that say "has not" left out."""
    rows = Annotation.objects.filter(item__annotation_data=data, **only).exclude(value=0)
    return {label: rows.filter(label__name=label).count() for label in data.labels.values_list("name", flat=True)}


def areas(data: AnnotationData) -> list[int]:
    rows = Annotation.objects.filter(item__annotation_data=data).order_by("item__position", "pk").select_related("item")
    found = []
    for row in rows.select_related("item__image"):
        mask = Mask(row.item.image.height, row.item.image.width, row.counts)
        assert mask.area == row.area
        found.append(mask.area)
    return found


def test_every_labelled_zip_gives_the_annotation_data_that_are_expected(ingest, shared_data, zips):
    wrong = {}
    labelled = {path.rpartition("/")[2] for path, each in zips.items() if "type" in each and "bench" not in path}
    assert labelled == set(SETS)
    for name, expected in zips.items():
        if name.startswith("bad/") or "bench" in name or "type" not in expected:
            continue
        path = shared_data / name
        dataset = ingest(path.read_bytes(), path.name)
        made = list(AnnotationData.objects.filter(dataset=dataset).order_by("pk"))
        found = {
            "dataset": (dataset.status, dataset.image_count, dataset.annotation_data_count),
            "statuses": {data.status for data in made},
            "sets": {
                data.name.removeprefix(path.stem): (data.annotation_type, data.image_count, data.annotation_count)
                for data in made
            },
            "left out": list(dataset.problems.values_list("path", flat=True)),
        }
        wanted = {
            "dataset": (DatasetStatus.AVAILABLE, expected["images"], len(SETS[path.name])),
            "statuses": {"available"},
            "sets": SETS[path.name],
            "left out": LEFT_OUT.get(path.name, []),
        }
        for key, kind in (("classes", "c"), ("positives", "m"), ("boxes", "b"), ("rectangles", "b")):
            if key in expected:
                wanted[key] = expected[key]
                found[key] = next((c for data in made if sum((c := counts(data, kind=kind)).values())), None)
        masks = expected.get("mask_pixels") or expected.get("segments", {}).get("liver")
        if masks:  # an outline drawn again misses some pixels of the mask it was traced from
            masks = sorted(masks)
            pixels = [sorted(areas(data)) for data in made if data.annotation_type == "image_segmentation"]
            wanted["mask_pixels"] = [masks]
            found["mask_pixels"] = [masks if one == pytest.approx(masks, rel=0.02) else one for one in pixels]
        if found != wanted:
            wrong[name] = found, wanted
        dataset.label_imports.all().delete()
    assert not wrong, pformat(wrong)


BAD = {
    "coco_broken_refs.zip": ("available", 3, 1),
    "labelme_bad_base64.zip": ("preparation_failed", 0, None),
    "labelme_bad_json.zip": ("available", 1, 1),
    "labelme_imagepath_traversal.zip": ("available", 1, None),
    "labelme_no_image.zip": ("preparation_failed", 0, None),
    "labelme_shapes_outside.zip": ("available", 1, 2),
    "voc_entity_bomb.zip": ("available", 1, 1),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_label_file_is_told_and_leaves_the_images_alone(ingest, shared_data, name):
    dataset = ingest((shared_data / "bad" / "annotation" / name).read_bytes(), name)
    status, images, failed = BAD[name]
    assert (dataset.status, dataset.image_count) == (status, images)
    made = AnnotationData.objects.filter(dataset=dataset)
    if failed is not None:
        assert {data.status for data in made} >= {"import_failed"}
        for data in made.filter(status="import_failed"):
            assert data.label_import.problems.count() == data.label_import.problem_count > 0
            assert all(problem.message for problem in data.label_import.problems.all())


def test_a_picture_that_cannot_be_decoded_is_rejected_by_name(ingest, shared_data):
    dataset = ingest((shared_data / "bad" / "annotation" / "labelme_bad_base64.zip").read_bytes(), "bad.zip")
    problem = dataset.problems.get()
    assert (problem.outcome, problem.code) == ("rejected", "embedded_image_unreadable")
    assert dataset.status_detail == problem.message == "The image inside “BloodImage_00065.json” is not base64."


def test_labels_of_one_zip_share_their_names_but_not_their_colours_place(ingest, shared_data):
    dataset = ingest((shared_data / "zips" / "label_single_mednist.zip").read_bytes(), "mednist.zip")
    labels = Label.objects.filter(annotation_data__dataset=dataset).order_by("position")
    assert [label.name for label in labels] == ["AbdomenCT", "BreastMRI", "ChestCT", "CXR", "Hand", "HeadCT"]
    assert [label.color for label in labels][:4] == ["#03a9f4", "#00c853", "#ff9800", "#e040fb"]
    assert len({label.color for label in labels}) == 6
