"""Metric curves: what is drawn lies in its box, and long trainings cost no more than short ones."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.usage.builders import make_labelled, make_training
from usage.console.curves import HEIGHT, WIDTH, metric_charts, polyline, span, sparkline
from usage.models import TrainingMetric
from usage.services.metric_curves import POINTS, Curve, curves_of

finite = st.floats(allow_nan=False, allow_infinity=False)


def drawn(points):
    return [tuple(map(float, point.split(","))) for point in points.split()]


@given(st.lists(finite, min_size=1, max_size=30))
def test_lines_stay_in_their_box_whatever_the_values(values):
    low, high = span(min(values), max(values))
    points = drawn(polyline(list(enumerate(values)), x=(0, len(values) - 1), y=(low, high), width=WIDTH, height=HEIGHT))
    assert len(points) == max(2, len(values))
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert [x for x, _y in points] == sorted(x for x, _y in points)


@given(st.lists(finite, min_size=2, max_size=30))
def test_sparklines_are_finite(values):
    assert all(math.isfinite(number) for point in drawn(sparkline(values)) for number in point)


def test_no_line_of_fewer_than_two_values():
    assert sparkline([]) == sparkline([1.0]) == ""


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (0.2, 0.9, (0, 1)),
        (0.0, 1.0, (0, 1)),
        (0.0, 0.01, (0, 0.0105)),
        (2.0, 2.0, (1.0, 3.0)),
        (-1.0, 1.0, (-1.1, 1.1)),
    ],
)
def test_axes(lowest, highest, expected):
    assert span(lowest, highest) == pytest.approx(expected)


def test_an_axis_of_the_largest_numbers_is_still_one():
    low, high = span(-sys.float_info.max, sys.float_info.max)
    assert low < high


def test_training_and_validation_share_a_chart():
    names = ["accuracy", "loss", "train/loss", "val_loss", "validation"]
    curves = [Curve(name, 0, 1, 0, 2, 2, 1, [(0, 0), (1, 2)]) for name in names]
    charts = {chart.title: [line.curve.name for line in chart.lines] for chart in metric_charts(curves)}
    assert charts == {
        "accuracy": ["accuracy"],
        "loss": ["loss", "train/loss", "val_loss"],
        "validation": ["validation"],
    }


@pytest.mark.django_db
def test_a_long_training_is_drawn_in_three_queries_and_few_points(user, django_assert_num_queries):
    task = make_training(make_labelled(user)[1])
    TrainingMetric.objects.bulk_create(
        TrainingMetric(training_task=task, name=name, step=step, value=step * sign)
        for name, sign in (("loss", -1), ("score", 1))
        for step in range(10, 3010)
    )
    with django_assert_num_queries(3):
        loss, score = curves_of(training_task=task)
    assert (loss.name, loss.first, loss.last, loss.lowest, loss.highest, loss.steps) == (
        "loss",
        10,
        3009,
        -3009,
        -10,
        3000,
    )
    assert score.latest == 3009
    assert POINTS / 2 <= len(score.points) <= POINTS
    assert all(value == pytest.approx(step) for step, value in score.points)


@pytest.mark.django_db
def test_a_short_training_is_drawn_exactly(user, django_assert_num_queries):
    task = make_training(make_labelled(user)[1])
    assert curves_of(training_task=task) == []
    TrainingMetric.objects.create(training_task=task, name="loss", step=7, value=0.25)
    [curve] = curves_of(training_task=task)
    assert (curve.points, curve.latest) == ([(7.0, 0.25)], 0.25)
