"""The bad label files of the larger collection, uploaded: every wrong row named, every good one kept, no image lost."""

from __future__ import annotations

import pytest

from annotations.models import Annotation, AnnotationData
from datasets.models import DatasetStatus

pytestmark = pytest.mark.django_db

ROW, UNKNOWN = "label_row_invalid", "label_image_unknown"
# zip → images, annotations that are kept, and the row, column and code of each that is not.
LABELS = {
    "csv_big5_class": (6, 6, []),
    "csv_box_bad_numbers": (
        6,
        1,
        [
            (2, "x", ROW),
            (3, "x", "label_box_outside"),
            (4, "x", "label_box_outside"),
            (5, "width", "label_box_empty"),
            (6, "x", ROW),
        ],
    ),
    "csv_class_under_3_images": (6, 6, []),
    "csv_conflicting_labels": (6, 6, [(7, "class", "label_conflict")]),
    "csv_empty": (6, 0, []),  # a file of no bytes is none of labels
    "csv_formula_injection": (6, 6, []),
    "csv_header_row": (6, 6, []),
    "csv_html_class": (6, 6, []),
    "csv_huge_field": (6, 6, [(1, "class", ROW)]),
    "csv_missing_image": (6, 6, [(7, "image", UNKNOWN)]),
    "csv_mixed_kinds": (6, 6, [(7, "", "label_kinds_mixed"), (8, "", "label_kinds_mixed")]),
    "csv_multilabel_bad_flag": (6, 2, [(row, "value", ROW) for row in (3, 4, 5, 6)]),
    "csv_null_bytes": (6, 6, [(1, "class", ROW)]),
    "csv_semicolon": (6, 6, []),
    "csv_utf16": (6, 6, []),
    "csv_wrong_columns": (6, 6, [(7, "class", ROW), (8, "", ROW), (9, "class", ROW)]),
    "two_label_csv": (6, 7, []),  # two sets of labels
}


def problems_of(data: AnnotationData) -> list[tuple[int | None, str, str]]:
    rows = data.label_import.problems.order_by("row", "column", "pk")
    return list(rows.values_list("row", "column", "code"))


@pytest.mark.parametrize("name", LABELS)
def test_every_wrong_row_is_named_by_row_column_and_reason(ingest, shared_data, name):
    images, kept, wrong = LABELS[name]
    dataset = ingest((shared_data / "bad" / "label" / f"{name}.zip").read_bytes(), f"{name}.zip")
    assert (dataset.status, dataset.image_count) == (DatasetStatus.AVAILABLE, images)
    made = list(AnnotationData.objects.filter(dataset=dataset))
    assert [problem for data in made for problem in problems_of(data)] == wrong
    assert Annotation.objects.filter(item__annotation_data__dataset=dataset).count() == kept
    for data in made:
        found = list(data.label_import.problems.all())
        assert data.status == ("import_failed" if found else "available")
        assert data.label_import.problem_count == len(found)
        assert all(problem.path == "label.csv" and problem.message.endswith(".") for problem in found)


SETS = {  # zip → images, and for each set of labels: annotations that are kept, and what is not
    "coco_broken_refs": (
        3,
        {
            "object_detection": (
                55,
                [
                    (1, "image_id", UNKNOWN),
                    (2, "category_id", ROW),
                    (3, "bbox", ROW),
                    (4, "image", UNKNOWN),
                    (59, "id", "label_conflict"),
                ],
            )
        },
    ),
    "labelme_bad_json": (1, {"multi_label_classification": (0, [(None, "", "label_file_invalid")])}),
    "labelme_imagepath_traversal": (1, {"multi_label_classification": (0, [])}),
    "labelme_shapes_outside": (
        1,
        {
            "multi_label_classification": (2, [(3, "label", ROW)]),
            "object_detection": (0, [(1, "x", "label_box_outside")]),
            "image_segmentation": (
                0,
                [(2, "points", ROW), (3, "label", ROW), (4, "shape_type", "label_shape_unsupported")],
            ),
        },
    ),
    "voc_entity_bomb": (1, {"object_detection": (0, [(None, "", "label_file_invalid")])}),
}


@pytest.mark.parametrize("name", SETS)
def test_what_is_wrong_with_annotation_files_is_named(ingest, shared_data, name):
    dataset = ingest((shared_data / "bad" / "annotation" / f"{name}.zip").read_bytes(), f"{name}.zip")
    images, expected = SETS[name]
    made = {data.annotation_type: (data.annotation_count, problems_of(data)) for data in dataset.annotation_data.all()}
    assert (dataset.status, dataset.image_count, made) == (DatasetStatus.AVAILABLE, images, expected)
