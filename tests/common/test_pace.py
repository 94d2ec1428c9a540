"""Pieces of work find the size that takes a moment, and leave others time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcap.common import pace as module
from deepcap.common.pace import Breath, Pace


def run(pace, *, rows_per_second, pieces):
    """Let a machine of this speed do so many pieces; return their lengths in seconds."""
    lengths = []
    for _piece in range(pieces):
        lengths.append(pace.size / rows_per_second)
        pace.learn(pace.size, lengths[-1])
    return lengths


@given(speed=st.floats(500, 1e6), start=st.integers(1, 10_000))
def test_pieces_come_to_take_the_time_they_should_on_any_machine(speed, start):
    pace = Pace(10_000, start=start, seconds=0.4)
    lengths = run(pace, rows_per_second=speed, pieces=60)
    assert lengths[-1] <= 0.4 * 1.3 or pace.size == pace.least
    assert lengths[-1] >= 0.4 / 1.3 or pace.size == pace.most


def test_a_machine_that_becomes_slow_is_asked_for_less_within_few_pieces():
    pace = Pace(10_000)
    run(pace, rows_per_second=1e6, pieces=3)
    assert pace.size == 10_000
    assert max(run(pace, rows_per_second=2_000, pieces=10)[5:]) <= 0.5


def test_a_piece_that_was_not_full_does_not_make_the_next_one_larger():
    pace = Pace(10_000, start=1_000)
    pace.learn(10, 0.001)
    assert pace.size == 1_000


def test_a_few_rows_are_not_divided():
    pace = Pace(50)
    pace.learn(50, 60.0)
    assert pace.size == 50


def test_a_piece_that_fails_teaches_nothing():
    pace = Pace(10_000)
    with pytest.raises(ZeroDivisionError), pace.piece(10_000):
        raise ZeroDivisionError
    assert pace.size == 10_000


def test_the_pause_is_in_proportion_to_the_work_before_it(monkeypatch):
    now, slept = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", slept.append)
    breath = Breath()
    breath.take()
    for seconds in (0.4, 60.0):
        breath.begin()
        now[0] += seconds
        breath.take()
        breath.take()
    assert slept == [pytest.approx(0.4 * Breath.SHARE), Breath.LONGEST]
