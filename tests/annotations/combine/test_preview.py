"""What a preview says, that it comes true, and that it writes nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import AnnotationType
from annotations.services.combinations import Wanted, preview_combination
from datasets.models import Study
from tests.annotations.builders import Row, make_annotation_data

from .world import dataset_of, images_of, made, said, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def wanted(*pairs, **choices):
    return Wanted([{"dataset": dataset.pk, "annotation_data": data and data.pk} for dataset, data in pairs], **choices)


def test_labels_are_matched_with_their_counts(user):
    a, b = dataset_of(user, "a", range(3)), dataset_of(user, "b", range(10, 13), folder="b/")
    pairs = (a, single(a, "cat", "cat", "dog")), (b, single(b, "Cats", "dog", "bird"))
    found = preview_combination(wanted=wanted(*pairs, label_map={"Cats": "cat"}), by=user)
    matches = {match["label"]: match for match in found.label_matches}
    assert {label: match["match"] for label, match in matches.items()} == {
        "bird": "none",
        "cat": "plural",
        "dog": "exact",
    }
    assert [(each["label"], each["images"], each["becomes"]) for each in matches["cat"]["labels"]] == [
        ("cat", 2, "cat"),
        ("Cats", 1, "cat"),
    ]
    assert found.after == [
        {"label": "bird", "images": 1, "annotations": 1},
        {"label": "cat", "images": 3, "annotations": 3},
        {"label": "dog", "images": 2, "annotations": 2},
    ]
    assert found.is_exact
    dataset = made(user, *pairs, label_map={"Cats": "cat"})
    labels = dataset.annotation_data.get().labels.values("name", "image_count", "annotation_count")
    assert [tuple(each.values()) for each in found.after] == [tuple(each.values()) for each in labels]


@pytest.mark.parametrize("duplicates", ["keep_all", "keep_once"])
def test_duplicates_conflicts_and_numbers_come_true(user, duplicates):
    a, b = dataset_of(user, "a", [1, 2, 2]), dataset_of(user, "b", [2, 1, 3, 3], folder="b/")
    pairs = (a, single(a, "x", "y", "y")), (b, single(b, "z", "x", "z", "z"))
    found = preview_combination(wanted=wanted(*pairs, duplicates=duplicates), by=user)
    assert (found.duplicates.count, found.conflicts.count, found.conflicts.examined) == (2, 1, 2)
    [group] = found.conflicts.examples
    assert [[each.label for each in row.said] for row in group] == [["y"], ["y"], ["z"]]
    dataset = made(user, *pairs, duplicates=duplicates)
    counts = {"studies": dataset.study_count, "images": dataset.image_count, "size_bytes": dataset.size_bytes}
    assert counts.items() <= found.totals.items()
    assert dataset.combination.place["conflicts"] == 1


def test_boxes_that_overlap_by_half_say_the_same(user):
    a, b = dataset_of(user, "a", [1, 2, 3]), dataset_of(user, "b", [1, 2, 3])
    box, near, far = (0, 0, 10, 10), (1, 0, 10, 10), (6, 6, 8, 8)
    ours = {image: [Row("x", box=box)] for image in images_of(a)}
    theirs = dict(zip(images_of(b), ([Row("x", box=near)], [Row("x", box=far)], [Row("y", box=box)]), strict=True))
    one = make_annotation_data(a, AnnotationType.DETECTION, ["x"], ours)
    two = make_annotation_data(b, AnnotationType.DETECTION, ["x", "y"], theirs)
    found = preview_combination(wanted=wanted((a, one), (b, two)), by=user)
    assert (found.conflicts.count, found.conflicts.examined) == (2, 3)
    dataset = made(user, (a, one), (b, two), duplicates="keep_once", on_conflict="leave_unlabelled")
    assert said(dataset) == {"0.png": ["x"]}


def test_masks_are_compared_by_their_pixels(user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [1])
    whole = Row("m", box=(0, 0, 20, 16), counts="0P:")
    empty = Row("m", box=(0, 0, 0, 0), counts="P:")
    one = make_annotation_data(a, AnnotationType.SEGMENTATION, ["m"], {images_of(a)[0]: [whole]})
    same = make_annotation_data(b, AnnotationType.SEGMENTATION, ["m"], {images_of(b)[0]: [whole]})
    other = make_annotation_data(b, AnnotationType.SEGMENTATION, ["m"], {images_of(b)[0]: [empty]})
    counts = [
        preview_combination(wanted=wanted((a, one), (b, data)), by=user).conflicts.count for data in (same, other)
    ]
    assert counts == [0, 1]


def test_patients_in_several_sources_are_found_by_their_key(user):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [3, 4])
    Study.objects.filter(dataset=a).update(patient_key="one")
    Study.objects.filter(dataset=b, position=0).update(patient_key="one")
    Study.objects.filter(dataset=b, position=1).update(patient_key="two")
    found = preview_combination(wanted=wanted((a, None), (b, None)), by=user)
    assert found.patients.count == 1
    assert [study.dataset_id for study in found.patients.examples[0]] == [a.pk, a.pk, b.pk]


def test_the_queries_do_not_grow_and_nothing_is_written(user):
    def queries(number):
        first, second = f"a{number}", f"b{number}"
        a, b = dataset_of(user, first, range(number)), dataset_of(user, second, range(number))
        names = ["x", "y"] * (number // 2)
        pairs = (a, single(a, *names)), (b, single(b, *reversed(names)))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            preview_combination(wanted=wanted(*pairs), by=user)
        assert all(query["sql"].startswith(("SELECT", "DECLARE")) for query in captured)
        return len(captured)

    assert queries(2) == queries(12)
