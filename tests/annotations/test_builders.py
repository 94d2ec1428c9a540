"""What the other tests build on is as the database wants it."""

import pytest

from annotations.models import AnnotationType
from tests.annotations.builders import Row, make_annotation_data, make_label_import
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("annotation_type", AnnotationType.values)
def test_annotation_data_of_every_type_can_be_made(user, annotation_type):
    dataset = make_dataset(user, studies=5)
    data = make_annotation_data(dataset, annotation_type)
    assert (data.image_count, data.study_count, data.annotation_count) == (5, 5, 5)
    assert list(data.labels.values_list("name", "image_count", "annotation_count")) == [
        ("abnormal", 3, 3),
        ("normal", 2, 2),
    ]
    dataset.refresh_from_db()
    assert dataset.annotation_data_count == 1


def test_negatives_and_absent_labels_are_listed_and_not_counted(user):
    dataset = make_dataset(user, studies=3)
    first, second, _third = dataset.images.order_by("study__position")
    data = make_annotation_data(
        dataset, AnnotationType.MULTI_LABEL, ["a", "b"], {second: [], first: [Row("a", 1), Row("b", 0)]}
    )
    assert list(data.listed.values_list("image", "position", "annotation_count")) == [
        (first.pk, 0, 1),
        (second.pk, 1, 0),
    ]
    assert data.annotation_count == 2
    assert data.statistics.numbers["totals"]["negatives"] == 1
    assert data.statistics.numbers["totals"]["unlisted_images"] == 1


def test_an_import_has_its_problems(user):
    dataset = make_dataset(user, studies=1)
    problem = {"code": "label_image_unknown", "message": "No such image.", "row": 3}
    label_import = make_label_import(dataset, make_annotation_data(dataset), [problem, problem])
    assert label_import.problems_by_code == {"label_image_unknown": 2}
    assert label_import.problems.count() == 2
