"""Grey values against the formulas of PS3.3 C.11, written out value by value."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from datasets.imaging import accelerators
from datasets.imaging.windowing import (
    GreyScale,
    LookupTable,
    Rescale,
    Window,
    apply_modality,
    min_max,
    to_grey,
    to_levels,
)

slopes = st.floats(-50, 50, allow_nan=False).filter(lambda slope: abs(slope) > 1e-3)
rescales = st.builds(Rescale, slopes, st.floats(-5000, 5000))
functions = st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"])
windows = st.builds(Window, st.floats(-3000, 3000), st.floats(1, 6000), functions)
stored = st.sampled_from(["uint8", "int8", "uint16", "int16"]).flatmap(
    lambda dtype: hnp.arrays(np.dtype(dtype), hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
)


def level(value: int, rescale: Rescale, window: Window, invert: bool) -> float:
    """One value by the book: C.11.1.1.2, then C.11.2.1.2.1, C.11.2.1.3.2 or C.11.2.1.3.1, then inversion."""
    x = rescale.slope * value + rescale.intercept
    c, w = window.center, window.width
    if window.function == "SIGMOID":
        power = -4 * (x - c) / w
        y = 255 / (1 + math.exp(power)) if power < 700 else 0.0
    elif window.function == "LINEAR":
        if x <= c - 0.5 - (w - 1) / 2:
            y = 0.0
        elif x > c - 0.5 + (w - 1) / 2:
            y = 255.0
        else:
            y = ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
    elif x <= c - w / 2:
        y = 0.0
    elif x > c + w / 2:
        y = 255.0
    else:
        y = ((x - c) / w + 0.5) * 255
    return 255 - y if invert else y


@settings(deadline=None)
@given(stored, rescales, windows, st.booleans())
def test_windows_give_the_levels_of_the_standard(values, rescale, window, invert):
    found = to_grey(values, GreyScale(rescale, window, invert))
    assert found.dtype == np.uint8
    for value, grey in zip(values.flat, found.flat, strict=True):
        assert abs(float(grey) - level(int(value), rescale, window, invert)) <= 0.5 + 1e-6


@settings(deadline=None)
@given(stored, rescales, windows, st.booleans())
def test_a_table_gives_the_levels_of_the_formula(values, rescale, window, invert):
    tiled = np.tile(values, (20, 20))  # enough pixels for the table to be used
    grey = GreyScale(rescale, window, invert)
    assert (to_grey(tiled, grey) == to_levels(tiled, grey)).all()


@settings(deadline=None)
@given(stored, rescales, windows)
def test_a_table_gives_the_same_without_opencv(values, rescale, window):
    tiled, grey = np.tile(values, (20, 20)), GreyScale(rescale, window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accelerators, "cv2", None)
        plain = to_grey(tiled, grey)
    assert (plain == to_grey(tiled, grey)).all()


@settings(deadline=None)
@given(hnp.arrays(np.float64, (5, 7), elements=st.floats(-1e6, 1e6)), rescales)
def test_minimum_is_black_and_maximum_white(values, rescale):
    window = min_max(values, rescale)
    shown = to_grey(values, GreyScale(rescale, window))
    output = apply_modality(values, rescale)
    if output.max() - output.min() > 1e-6:
        assert shown[np.unravel_index(output.argmin(), output.shape)] == 0
        assert shown[np.unravel_index(output.argmax(), output.shape)] == 255
    else:
        assert shown.max() in (0, 255) or output.max() > output.min()


@settings(deadline=None)
@given(stored, st.booleans())
def test_a_frame_of_one_value_is_of_one_level(values, invert):
    values[:] = values.flat[0]
    shown = to_grey(values, GreyScale(Rescale(), min_max(values, Rescale()), invert))
    assert set(np.unique(shown)) == {255 if invert else 0}


def test_not_a_number_is_black_and_does_not_widen_the_window():
    values = np.array([[0.0, 1.0], [np.nan, np.inf]])
    window = min_max(values, Rescale())
    assert (window.center, window.width) == (0.5, 1.0)
    assert to_grey(values, GreyScale(Rescale(), window)).tolist() == [[0, 255], [0, 255]]


@settings(deadline=None)
@given(
    st.integers(-100, 100),
    st.lists(st.integers(0, 4095), min_size=2, max_size=40),
    hnp.arrays(np.int16, (4, 6), elements=st.integers(-200, 200)),
)
def test_a_lookup_table_maps_what_it_covers_and_holds_its_ends(first, entries, values):
    table = LookupTable(first, np.array(entries, np.float64), 12)
    found = apply_modality(values, table)
    for value, entry in zip(values.flat, found.flat, strict=True):
        assert entry == entries[min(max(int(value) - first, 0), len(entries) - 1)]


def test_white_of_a_lookup_table_is_its_bits_or_what_its_entries_need():
    assert LookupTable(0, np.array([0.0, 255.0]), 8).white == 255
    assert LookupTable(0, np.array([0.0, 4095.0]), 16).white == 65535
    assert LookupTable(0, np.array([0.0, 4095.0]), 8).white == 4095


@pytest.mark.parametrize(
    ("function", "width", "valid"),
    [
        ("LINEAR", 1, True),
        ("LINEAR", 0.5, False),
        ("LINEAR_EXACT", 0.5, True),
        ("SIGMOID", 0, False),
        ("LINEAR", -4, False),
    ],
)
def test_a_window_is_valid_as_the_standard_says(function, width, valid):
    assert Window(0, width, function).valid is valid


def test_a_linear_window_of_width_one_is_a_threshold_at_its_centre():
    values = np.array([[38, 39, 40, 41]])
    assert to_grey(values, GreyScale(Rescale(), Window(40, 1))).tolist() == [[0, 0, 255, 255]]
