"""What can be made of what."""

import pytest

from annotations.derive import make_plan
from annotations.errors import ConversionRefused
from annotations.models import AnnotationType

SINGLE, MULTI = AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL
BOXES, MASKS = AnnotationType.DETECTION, AnnotationType.SEGMENTATION
NAMES = ["a", "b", "c"]


def plan(source, target, **choices):
    return dict_of(make_plan(source_type=source, annotation_type=target, names=NAMES, **choices).pairs)


def dict_of(pairs):
    becomes = {}
    for old, new in pairs:
        becomes.setdefault(old, []).append(new)
    return becomes


def test_every_label_keeps_its_name_by_default():
    assert plan(BOXES, MULTI) == {"a": ["a"], "b": ["b"], "c": ["c"]}


def test_merged_labels_replace_those_they_are_made_of():
    assert plan(MASKS, MASKS, merge={"ab": ["a", "b"]}) == {"a": ["ab"], "b": ["ab"], "c": ["c"]}


def test_labels_that_are_asked_for_are_kept_beside_the_merged_one():
    assert plan(BOXES, BOXES, labels=["a"], merge={"ab": ["a", "b"]}) == {"a": ["a", "ab"], "b": ["ab"]}


def test_labels_may_be_merged_into_one_that_is_kept():
    assert plan(SINGLE, SINGLE, merge={"c": ["a"]}) == {"a": ["c"], "b": ["b"], "c": ["c"]}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (source, target)
        for source in AnnotationType
        for target in AnnotationType
        if source != target
        and (source, target) not in {(BOXES, SINGLE), (BOXES, MULTI), (MASKS, SINGLE), (MASKS, MULTI), (MASKS, BOXES)}
    ],
)
def test_no_other_direction_exists(source, target):
    with pytest.raises(ConversionRefused) as refusal:
        plan(source, target)
    assert refusal.value.code == "wrong_type"
    assert str(source.label) in refusal.value.message


@pytest.mark.parametrize(
    ("code", "source", "target", "choices"),
    [
        ("wrong_type", BOXES, "boxes", {}),
        ("nothing_to_convert", BOXES, BOXES, {}),
        ("label_unknown", BOXES, MULTI, {"labels": ["a", "d"]}),
        ("label_unknown", BOXES, MULTI, {"merge": {"x": ["d"]}}),
        ("label_name_invalid", BOXES, MULTI, {"merge": {"  ": ["a"]}}),
        ("label_name_invalid", BOXES, MULTI, {"merge": {"x": ["a"], " x": ["b"]}}),
        ("label_name_invalid", BOXES, MULTI, {"merge": {"x" * 201: ["a"]}}),
        ("no_labels", BOXES, MULTI, {"labels": []}),
        ("no_labels", BOXES, MULTI, {"merge": {"x": []}}),
        ("label_in_two_classes", BOXES, SINGLE, {"labels": ["a"], "merge": {"x": ["a", "b"]}}),
        ("label_in_two_classes", SINGLE, SINGLE, {"merge": {"x": ["a"], "y": ["a"]}}),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_code(code, source, target, choices):
    with pytest.raises(ConversionRefused) as refusal:
        plan(source, target, **choices)
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")
