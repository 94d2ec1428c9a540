"""Validation by agreement, against cases worked by hand and against properties that must hold for all."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.dsv import (
    Box,
    Excluded,
    agree_on_boxes,
    agree_on_mask,
    dice,
    iou,
    majority,
    majority_of_labels,
    reason_not_exported,
)

votes = st.lists(st.sampled_from("abc"), min_size=1, max_size=5)
sides = st.integers(1, 20)
boxes = st.builds(Box, st.sampled_from("ab"), st.integers(0, 20), st.integers(0, 20), sides, sides)
drawings = st.lists(st.lists(boxes, max_size=4, unique=True), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("said", "label", "rate"),
    [
        ("a", "a", Fraction(1)),
        ("aab", "a", Fraction(2, 3)),
        ("ab", None, Fraction(1, 2)),
        ("aabb", None, Fraction(1, 2)),
        ("abc", None, Fraction(1, 3)),
        ("aabbc", None, Fraction(2, 5)),
        ("aaabb", "a", Fraction(3, 5)),
    ],
)
def test_the_majority_label_and_its_consistency_rate(said, label, rate):
    verdict = majority(list(said))
    assert (verdict.label, verdict.rate, verdict.passed) == (label, rate, label is not None)


@given(votes, st.randoms())
def test_a_majority_is_of_more_than_half_whatever_the_order(said, random):
    verdict = majority(said)
    shuffled = random.sample(said, len(said))
    assert majority(shuffled) == verdict
    assert verdict.passed == any(2 * said.count(label) > len(said) for label in said)
    assert verdict.rate == Fraction(max(said.count(label) for label in said), len(said))


def test_labels_are_judged_one_by_one():
    said = [{"x": True, "y": True}, {"x": True}, {"x": True, "y": False}]
    verdict = majority_of_labels(said, ["x", "y"])
    assert verdict.values == {"x": True, "y": False}
    assert verdict.rate == Fraction(5, 6)
    assert verdict.passed


def test_a_label_on_which_the_annotators_are_divided_fails_the_image():
    verdict = majority_of_labels([{"x": True}, {}], ["x", "y"])
    assert verdict.values == {"y": False}
    assert not verdict.passed


def test_intersection_over_union_by_hand():
    one = Box("a", 0, 0, 10, 10)
    assert iou(one, one) == 1
    assert iou(one, Box("a", 5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert iou(one, Box("a", 0, 0, 10, 5)) == 0.5
    assert iou(one, Box("a", 10, 0, 10, 10)) == 0


def test_boxes_of_three_annotators_are_averaged():
    drawn = [[Box("a", 0, 0, 10, 10)], [Box("a", 1, 0, 10, 10)], [Box("a", 2, 0, 10, 10)]]
    verdict = agree_on_boxes(drawn)
    assert [(group.box, group.support) for group in verdict.groups] == [(Box("a", 1, 0, 10, 10), 3)]
    assert verdict.rate == 1


def test_a_box_that_one_of_three_drew_is_dropped_and_lowers_the_rate():
    same = Box("a", 0, 0, 10, 10)
    verdict = agree_on_boxes([[same, Box("a", 50, 50, 5, 5)], [same], [same]])
    assert [group.box for group in verdict.groups] == [same]
    assert verdict.rate == Fraction(3 + 1, 3 * 2)


def test_an_annotators_two_boxes_are_never_one_object():
    near, nearer = Box("a", 0, 0, 10, 10), Box("a", 1, 0, 10, 10)
    verdict = agree_on_boxes([[near, nearer], [nearer]])
    assert [(group.box, group.support) for group in verdict.groups] == [(nearer, 2)]
    assert verdict.rate == Fraction(3, 4)


def test_boxes_of_different_labels_are_different_objects():
    verdict = agree_on_boxes([[Box("a", 0, 0, 10, 10)], [Box("b", 0, 0, 10, 10)]])
    assert (verdict.groups, verdict.rate, verdict.passed) == ((), Fraction(1, 2), False)


def test_where_nobody_draws_all_agree():
    verdict = agree_on_boxes([[], []])
    assert (verdict.groups, verdict.rate, verdict.passed) == ((), 1, True)


@given(drawings)
def test_boxes_do_not_depend_on_the_order_of_annotators_and_have_the_support_they_say(drawn):
    verdict = agree_on_boxes(drawn)
    for order in list(permutations(drawn))[:6]:
        assert agree_on_boxes(list(order)) == verdict
    assert 0 < verdict.rate <= 1
    for group in verdict.groups:
        assert len(drawn) // 2 < group.support <= len(drawn)
    for label in "ab":
        most = max(sum(box.label == label for box in boxes) for boxes in drawn)
        count = sum(len([box for box in boxes if box.label == label]) for boxes in drawn)
        kept = [group for group in verdict.groups if group.box.label == label]
        assert sum(group.support for group in kept) <= count
        assert len(kept) <= count
        assert most >= (1 if kept else 0)


@given(st.lists(boxes, max_size=4, unique=True), st.integers(1, 5))
def test_annotators_who_draw_the_same_agree_wholly(same, people):
    far_apart = [Box(box.label, box.x + 100 * n, box.y, box.width, box.height) for n, box in enumerate(same)]
    verdict = agree_on_boxes([far_apart] * people)
    assert verdict.rate == 1
    assert sorted(group.box for group in verdict.groups) == sorted(far_apart)


def test_a_pixel_is_in_the_mask_when_more_than_half_say_so():
    masks = [np.array([[1, 1, 0, 0]], bool), np.array([[1, 1, 1, 0]], bool), np.array([[0, 1, 1, 0]], bool)]
    verdict = agree_on_mask(masks)
    assert verdict.mask.tolist() == [[True, True, True, False]]
    assert verdict.rate == pytest.approx((4 / 5 + 1 + 4 / 5) / 3)
    assert verdict.passed


def test_half_is_not_a_majority_of_pixels():
    verdict = agree_on_mask([np.array([[1, 0]], bool), np.array([[0, 1]], bool)])
    assert (verdict.mask.any(), verdict.rate, verdict.passed) == (False, 0, False)


def test_two_empty_masks_agree():
    empty = np.zeros((2, 2), bool)
    assert dice(empty, empty) == 1
    assert agree_on_mask([empty, empty]).passed


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=5))
def test_masks_are_judged_pixel_by_pixel(rows):
    masks = [np.array(row, bool).reshape(2, 3) for row in rows]
    verdict = agree_on_mask(masks)
    expected = [2 * sum(row[pixel] for row in rows) > len(rows) for pixel in range(6)]
    assert verdict.mask.reshape(-1).tolist() == expected
    assert 0 <= verdict.rate <= 1


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="different sizes"):
        agree_on_mask([np.zeros((2, 2), bool), np.zeros((2, 3), bool)])


@pytest.mark.parametrize("judge", [majority, agree_on_boxes, agree_on_mask])
def test_an_image_nobody_has_annotated_is_not_judged(judge):
    with pytest.raises(ValueError, match="Nobody"):
        judge([])


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"has_result": True}, None),
        ({"has_result": True, "dsv_passed": True}, None),
        ({"has_result": False}, Excluded.NO_RESULT),
        ({"has_result": True, "excluded_by_owner": True}, Excluded.BY_USER),
        ({"has_result": True, "dsv_passed": False}, Excluded.BY_SYSTEM),
        ({"has_result": True, "marked_problematic": True}, Excluded.PROBLEMATIC),
        ({"has_result": True, "review_failed": True}, Excluded.BY_REVIEWER),
        ({"has_result": False, "dsv_passed": False}, Excluded.NO_RESULT),
    ],
)
def test_cases_that_are_not_exported(case, reason):
    assert reason_not_exported(**case) is reason
