"""Intervals and percentages, by hand and by property."""

from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.bins import (
    BOX_AREA,
    BOX_RATIO,
    BOXES_PER_IMAGE,
    COVERAGE,
    coverage_histograms,
    histogram,
    percentage,
)
from annotations.statistics.colors import FIRST, color_of, palette


def test_every_interval_has_a_title():
    for bins in (BOX_AREA, BOX_RATIO, BOXES_PER_IMAGE, COVERAGE):
        assert len(bins.titles) == len(bins.edges) + 1
        assert list(bins.edges) == sorted(set(bins.edges))


def test_bounds_belong_to_the_interval_they_begin():
    assert BOX_RATIO.titles[BOX_RATIO.index(0.25)] == "[0.25,0.50)"
    assert BOX_RATIO.titles[BOX_RATIO.index(0.7)] == "[0.67,0.80)"
    assert BOX_RATIO.titles[BOX_RATIO.index(0.2499)] == "(0,0.25)"
    assert BOX_RATIO.titles[BOX_RATIO.index(4)] == "≥4"
    assert BOX_AREA.titles[BOX_AREA.index(40.96)] == "[40.96,100]"
    assert BOX_AREA.titles[BOX_AREA.index(0.1599)] == "(0,0.16)"
    assert [BOXES_PER_IMAGE.titles[BOXES_PER_IMAGE.index(n)] for n in (0, 4, 5, 9, 10, 99)] == [
        "0",
        "4",
        "5–9",
        "5–9",
        "≥10",
        "≥10",
    ]
    assert COVERAGE.titles[COVERAGE.index(0.4)] == "(0,1)"
    assert COVERAGE.titles[COVERAGE.index(5)] == "[5,10)"
    assert COVERAGE.titles[COVERAGE.index(100)] == "[95,100]"


def test_percentages_are_those_of_the_design():
    assert [percentage(count, 65) for count in (34, 21, 10)] == [52.31, 32.31, 15.38]
    assert percentage(0, 0) == 0


def test_a_histogram_names_empty_intervals_too():
    made = histogram(BOXES_PER_IMAGE, {0: 1, 5: 3})
    assert made["bins"][5] == "5–9"
    assert made["counts"] == [1, 0, 0, 0, 0, 3, 0]
    assert made["percentages"] == [25, 0, 0, 0, 0, 75, 0]


def test_coverage_counts_absence_and_is_cut_after_the_last_interval_of_all_classes():
    few = coverage_histograms([{0: 2}], images=10)[0]
    assert few["bins"][:3] == ["0", "(0,1)", "[1,5)"]
    assert few["bins"][-1] == "[30,35)"
    assert few["counts"][:2] == [8, 2]
    liver, spleen = coverage_histograms([{20: 1}, {}], images=1)
    assert liver["bins"] == spleen["bins"]
    assert liver["bins"][-1] == "[95,100]"
    assert (sum(liver["counts"]), spleen["counts"][0]) == (1, 1)


@given(st.lists(st.integers(0, len(COVERAGE.edges)), max_size=30), st.integers(0, 20))
def test_every_image_is_in_one_interval_of_coverage(indexes, absent):
    counts = {index: indexes.count(index) for index in set(indexes)}
    made = coverage_histograms([counts], images=len(indexes) + absent)[0]
    assert sum(made["counts"]) == len(indexes) + absent
    assert made["counts"][0] == absent


@given(st.floats(0, 1e6, allow_nan=False))
def test_the_index_is_that_of_the_interval_that_holds_the_value(value):
    index = BOX_RATIO.index(value)
    assert index == 0 or BOX_RATIO.edges[index - 1] <= value
    assert index == len(BOX_RATIO.edges) or value < BOX_RATIO.edges[index]


def test_colours_begin_with_the_design_and_do_not_repeat():
    assert tuple(palette(4)) == FIRST
    assert len(set(palette(200))) == 200
    assert palette(9)[8] == color_of(8)
    assert all(len(color) == 7 and int(color[1:], 16) >= 0 for color in palette(300))
