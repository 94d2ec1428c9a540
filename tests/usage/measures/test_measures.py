"""Rates of predictions, against cases worked by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from annotations.formats.masks import Mask
from usage.measures import Boxes, Masks, MultiLabel, Said, SingleLabel
from usage.measures.curves import Scores


def by_label(report):
    return {each["label"]: each for each in report["labels"]}


def test_single_labels_by_hand():
    measure = SingleLabel()
    pairs = [("cat", "cat"), ("cat", "dog"), ("dog", "dog"), ("dog", None), ("fox", "cat")]
    right = [measure.judge([Said(truth)], [Said(said)] if said else []) for truth, said in pairs]
    assert right == [True, False, True, False, False]
    report = measure.report()
    assert report["confusion"] == {
        "rows": ["cat", "dog", "fox"],
        "columns": ["cat", "dog", "fox", ""],
        "matrix": [[1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]],
        "left_out": 0,
    }
    cat = by_label(report)["cat"]
    assert (cat["precision"], cat["recall"], cat["f1"]) == (0.5, 0.5, 0.5)
    assert by_label(report)["fox"]["precision"] is None
    assert report["curves"] == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=60))
def test_single_labels_are_rated_as_by_scikit_learn(pairs):
    measure = SingleLabel()
    right = sum(measure.judge([Said(truth)], [Said(said)]) for truth, said in pairs)
    truth, said = ([pair[side] for pair in pairs] for side in (0, 1))
    assert right / len(pairs) == pytest.approx(metrics.accuracy_score(truth, said))
    report = measure.report()
    labels = sorted({*truth, *said})
    if len(labels) == 1:  # of which scikit-learn warns
        return
    assert report["confusion"]["matrix"] == metrics.confusion_matrix(truth, said, labels=labels).tolist()
    expected = metrics.f1_score(truth, said, labels=labels, average="macro", zero_division=0)
    assert report["macro_f1"] == pytest.approx(expected)


thousandths = st.integers(0, 1000).map(lambda number: number / 1000)


@given(st.lists(st.tuples(thousandths, st.booleans()), min_size=2, max_size=80))
def test_curves_have_the_areas_that_scikit_learn_finds(scored):
    scores = Scores()
    for score, positive in scored:
        scores.add(score, positive=positive)
    values, truth = [score for score, _ in scored], [positive for _, positive in scored]
    curves = scores.curves("x")
    if len(set(truth)) < 2:
        assert curves is None
        return
    assert curves["auc"] == pytest.approx(metrics.roc_auc_score(truth, values))
    assert curves["average_precision"] == pytest.approx(metrics.average_precision_score(truth, values))
    assert curves["roc"][0] == [0, 0]
    assert curves["roc"][-1] == [1, 1]
    assert len(curves["roc"]) <= 120


def test_confidence_in_one_of_two_classes_is_doubt_in_the_other():
    measure = SingleLabel()
    for truth, said, score in [("ill", "ill", 0.9), ("ill", "well", 0.6), ("well", "well", 0.8), ("well", "ill", 0.7)]:
        measure.judge([Said(truth)], [Said(said, score=score)])
    ill, well = measure.report()["curves"]
    expected = metrics.roc_auc_score([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.7])
    assert (ill["label"], ill["auc"], well["auc"]) == ("ill", pytest.approx(expected), pytest.approx(expected))
    measure.judge([Said("ill")], [Said("ill")])
    assert measure.report()["curves"] == []


def test_labels_that_an_image_has_by_hand():
    measure = MultiLabel()
    truth = [Said("mass", value=1), Said("fluid", value=0)]
    assert measure.judge(truth, [Said("mass", value=1, score=0.9), Said("fluid", value=0, score=0.2)])
    assert not measure.judge(truth, [Said("mass", score=0.4), Said("fluid", score=0.3)])
    assert not measure.judge([Said("fluid", value=1)], [])
    report = by_label(measure.report())
    assert (report["mass"]["true_positives"], report["mass"]["false_negatives"]) == (1, 1)
    assert (report["fluid"]["recall"], report["fluid"]["precision"]) == (0, None)
    [curve] = measure.report()["curves"]
    assert (curve["label"], curve["auc"]) == ("fluid", 0)


def box(label, x, y, size=10, score=None, frame=0):
    return Said(label, bbox=(x, y, size, size), score=score, frame=frame)


def test_boxes_by_hand():
    measure = Boxes()
    assert measure.judge([box("a", 0, 0)], [box("a", 1, 0, score=0.9)])
    assert not measure.judge([box("a", 0, 0)], [box("b", 0, 0)])
    assert not measure.judge([box("a", 0, 0)], [box("a", 0, 0, score=0.8), box("a", 1, 1, score=0.7)])
    assert measure.judge([box("a", 0, 0)], [box("a", 0, 0, score=0.8), box("a", 50, 50, score=0.3)])
    assert not measure.judge([box("a", 0, 0, frame=2)], [box("a", 0, 0, frame=1)])
    assert measure.judge([], [])
    report = by_label(measure.report())
    assert (report["a"]["true_positives"], report["a"]["false_positives"], report["a"]["false_negatives"]) == (3, 2, 2)
    assert (report["b"]["precision"], report["b"]["recall"]) == (0, None)


def test_average_precision_of_boxes_by_hand():
    measure = Boxes()
    truth = [box("a", 0, 0), box("a", 100, 100)]
    measure.judge(truth, [box("a", 0, 0, score=0.9), box("a", 300, 300, score=0.8), box("a", 100, 100, score=0.7)])
    assert by_label(measure.report())["a"]["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@given(st.integers(0, 2**32 - 1))
def test_masks_are_rated_as_by_counting_pixels(seed):
    rng = np.random.default_rng(seed)
    measure = Masks()
    dices, right = [], []
    for _ in range(3):
        one, other = (rng.random((6, 7)) < rng.random() for _ in range(2))
        right.append(measure.judge([Said("a", mask=Mask.from_array(one))], [Said("a", mask=Mask.from_array(other))]))
        both, all_of = (one & other).sum(), one.sum() + other.sum()
        assert right[-1] == (all_of == 0 or both / (all_of - both) >= 0.5)
        if all_of:
            dices.append(2 * both / all_of)
    if dices:
        assert by_label(measure.report())["a"]["dice"] == pytest.approx(np.mean(dices))


def test_masks_of_one_label_are_united_and_of_other_sizes_have_nothing_in_common():
    measure = Masks()
    left, right = np.zeros((4, 4)), np.zeros((4, 4))
    left[:, :2], right[:, 2:] = 1, 1
    whole = [Said("a", mask=Mask.from_array(np.ones((4, 4))))]
    assert measure.judge(whole, [Said("a", mask=Mask.from_array(half)) for half in (left, right)])
    assert not measure.judge(whole, [Said("a", mask=Mask.from_array(np.ones((5, 5))))])
    assert not measure.judge(whole, [Said("a", mask=whole[0].mask, score=0.4)])
