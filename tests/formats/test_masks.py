import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotations.formats.masks import Mask, intersection, union
from annotations.formats.polygons import draw, outline

# pycocotools 2.0 and NumPy 2.4; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

oracle = pytest.importorskip("pycocotools.mask")

BITMAPS = arrays.arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24)))
SIZE = st.integers(1, 40)
COORDINATE = st.one_of(st.integers(-10, 50), st.floats(-10, 50, allow_nan=False))
POLYGON = st.lists(COORDINATE, min_size=6, max_size=20).map(lambda values: values[: len(values) // 2 * 2])


def theirs(pixels):
    return oracle.encode(np.asfortranarray(pixels.astype(np.uint8)))


@settings(deadline=None)
@given(BITMAPS)
def test_encoding_is_what_pycocotools_makes_and_reads(pixels):
    mask = Mask.from_array(pixels)
    reference = theirs(pixels)
    assert mask.counts.encode() == reference["counts"]
    assert np.array_equal(mask.decode(), pixels)
    assert mask.area == oracle.area(reference)
    assert list(mask.bbox) == oracle.toBbox(reference).tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=60))
def test_run_lengths_of_any_size_survive_compression(runs):
    if sum(runs) == 0:
        runs = [*runs, 1]
    size = [sum(runs), 1]
    mask = Mask.from_runs(*size, runs)
    assert mask.runs().tolist() == runs
    assert mask.counts.encode() == oracle.frPyObjects({"size": size, "counts": runs}, *size)["counts"]


@settings(deadline=None)
@given(st.lists(POLYGON, min_size=1, max_size=4), SIZE, SIZE)
def test_polygons_are_drawn_as_pycocotools_draws_them(polygons, height, width):
    reference = oracle.merge(oracle.frPyObjects(polygons, height, width))
    assert np.array_equal(draw(polygons, height, width).decode(), oracle.decode(reference).astype(bool))


@settings(deadline=None)
@given(BITMAPS)
def test_an_outline_drawn_again_is_the_mask(pixels):
    mask = Mask.from_array(pixels)
    polygons = outline(mask)
    assert draw(polygons, *pixels.shape) == mask
    if polygons:
        reference = oracle.merge(oracle.frPyObjects(polygons, *pixels.shape))
        assert np.array_equal(oracle.decode(reference).astype(bool), pixels)


def test_an_outline_has_one_polygon_for_each_part_with_its_holes_cut_in():
    ring = np.ones((7, 7), bool)
    ring[2:5, 2:5] = False
    ring[3, 3] = True
    polygons = outline(Mask.from_array(ring))
    assert sorted(len(polygon) // 2 for polygon in polygons) == [4, 10]


@settings(deadline=None)
@given(st.lists(arrays.arrays(bool, (9, 7)), min_size=1, max_size=4))
def test_union_and_intersection(bitmaps):
    masks = [Mask.from_array(pixels) for pixels in bitmaps]
    assert union(masks) == Mask.from_array(np.logical_or.reduce(bitmaps))
    assert intersection(masks) == Mask.from_array(np.logical_and.reduce(bitmaps))


@pytest.mark.parametrize(
    "counts",
    ["", "~~~", "o", "\N{EURO SIGN}", b"\xff", [], [1, -1, 12], [5, 5], [[1, 2]], "0" * 3, "oooooooooooo0", [12.5]],
)
def test_counts_that_fit_no_mask_are_refused(counts):
    with pytest.raises((ValueError, TypeError)):
        Mask.from_counts(3, 4, counts)


@pytest.mark.parametrize(
    "polygon", [[], [1, 2, 3, 4], [1, 2, 3, 4, 5], [0, 0, 1, float("nan"), 4, 4], [0, 0, 1e9, 1, 4, 4]]
)
def test_polygons_that_enclose_nothing_are_refused(polygon):
    with pytest.raises(ValueError, match="olygon"):
        draw([polygon], 10, 10)
