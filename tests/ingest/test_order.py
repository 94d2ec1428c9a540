"""Display order (product decision P10)."""

from hypothesis import given
from hypothesis import strategies as st

from datasets.ingest.order import Slice, display_order, natural_key

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def image(pk, *, series=1, uid="1.1", place=None, orientation=(), number=None, path=""):
    return Slice(pk, series, uid, place, orientation, number, path or f"{pk}.dcm")


def pks(images):
    return [found.pk for found in display_order(images)]


def test_names_sort_as_people_do():
    assert sorted(["b10.png", "B2.png", "a/1.png", "b1.png"], key=natural_key) == [
        "a/1.png",
        "b1.png",
        "B2.png",
        "b10.png",
    ]


def test_series_come_by_number_and_those_without_one_last():
    images = [image(1, series=None), image(2, series=10), image(3, series=2, uid="9"), image(4, series=2, uid="8")]
    assert pks(images) == [4, 3, 2, 1]


def test_slices_come_by_place_even_if_their_numbers_say_otherwise():
    images = [
        image(1, place=30.0, orientation=AXIAL, number=1),
        image(2, place=-10.0, orientation=AXIAL, number=2),
        image(3, place=5.5, orientation=AXIAL, number=3),
    ]
    assert pks(images) == [2, 3, 1]


def test_images_at_one_place_come_by_number():
    images = [image(pk, place=1.0, orientation=AXIAL, number=number) for pk, number in ((1, 3), (2, 1), (3, 2))]
    assert pks(images) == [2, 3, 1]


def test_one_image_without_geometry_makes_the_whole_series_go_by_number():
    images = [image(1, place=9.0, orientation=AXIAL, number=1), image(2, number=0), image(3, place=1.0, number=2)]
    assert pks(images) == [2, 1, 3]


def test_scouts_of_several_directions_go_by_number():
    images = [
        image(1, place=9.0, orientation=AXIAL, number=1),
        image(2, place=-9.0, orientation=CORONAL, number=2),
        image(3, place=0.0, orientation=AXIAL, number=3),
    ]
    assert pks(images) == [1, 2, 3]


def test_without_geometry_and_numbers_the_path_decides():
    assert pks([image(1, path="s/10.dcm"), image(2, path="s/9.dcm", number=4)]) == [2, 1]


slices = st.builds(
    Slice,
    pk=st.integers(),
    series_number=st.none() | st.integers(0, 3),
    series_uid=st.sampled_from(["1", "2"]),
    slice_position=st.none() | st.floats(-100, 100),
    orientation=st.sampled_from([(), AXIAL, CORONAL]),
    instance_number=st.none() | st.integers(0, 9),
    path=st.text(max_size=8),
)


@given(st.lists(slices, unique_by=(lambda one: one.pk, lambda one: natural_key(one.path))), st.randoms())
def test_the_order_is_total_and_does_not_depend_on_how_images_arrived(images, random):
    shuffled = list(images)
    random.shuffle(shuffled)
    assert display_order(shuffled) == display_order(images)
    assert sorted(pks(images)) == sorted(one.pk for one in images)
