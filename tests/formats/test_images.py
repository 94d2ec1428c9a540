import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.formats import Ambiguous, Geometry, Images, Unknown

from .kit import image

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0", exclude_categories=("Cc", "Cs", "Z")), min_size=1
)
PATHS = st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4).map("/".join)


def made(*paths):
    return Images(image(path, number=number) for number, path in enumerate(paths, 1))


@settings(deadline=None)
@given(st.lists(PATHS, unique=True, min_size=1, max_size=20))
def test_every_image_is_found_by_its_own_path(paths):
    images = made(*paths)
    assert [images.find(path).path for path in paths] == paths


@pytest.mark.parametrize(
    ("reference", "beside", "path"),
    [
        ("set/image/one.png", "", "set/image/one.png"),
        ("image/one.png", "", "set/image/one.png"),
        ("one", "", "set/image/one.png"),
        ("image/one", "", "set/image/one.png"),
        ("IMAGE/ONE.PNG", "", "set/image/one.png"),
        ("./image\\one.png", "", "set/image/one.png"),
        ("C:\\work\\image\\one.png", "", "set/image/one.png"),
        ("one.jpg", "", "set/image/one.png"),
        ("../image/one.png", "set/labels", "set/image/one.png"),
        ("two.png", "b", "b/two.png"),
        ("a/two.png", "b", "a/two.png"),
        ("two.png", "other/a", "a/two.png"),
        ("hand.v2.final", "", "hand.v2.final.jpeg"),
        ("three.png", "", "three.png"),
        ("three", "", "three.PNG"),
        ("slice1", "", "dicom/slice1"),
        ("slice1.dcm", "", "dicom/slice1"),
    ],
)
def test_what_agrees_most_is_found(reference, beside, path):
    images = made(
        "set/image/one.png", "a/two.png", "b/two.png", "hand.v2.final.jpeg", "three.png", "three.PNG", "dicom/slice1"
    )
    if reference == "three":
        with pytest.raises(Ambiguous):
            images.find(reference)
        return
    assert images.find(reference, beside=beside).path == path


def test_a_base_name_of_several_images_is_refused_with_their_names():
    with pytest.raises(Ambiguous) as refused:
        made("A/1.png", "B/1.png").find("1.png")
    assert refused.value.near == ("A/1.png", "B/1.png")


@pytest.mark.parametrize("reference", ["../../etc/passwd", "..", "", ".", "a/../../../a.png"])
def test_nothing_outside_is_found(reference):
    with pytest.raises(Unknown):
        made("etc/passwd", "a.png").find(reference, beside="labels")


def test_near_matches_are_named():
    with pytest.raises(Unknown) as refused:
        made("image/hand_001.png", "image/hand_002.png", "image/foot.png").find("hand001.png")
    assert set(refused.value.near) == {"image/hand_001.png", "image/hand_002.png"}


def test_dicom_identifiers_and_geometry_are_kept():
    geometry = Geometry((1.5, 2.5, 3.5), (1.0, 0, 0, 0, 1.0, 0), (0.5, 0.75))
    images = Images(
        image(f"{n}.dcm", number=n, sop_instance_uid=f"1.2.{n}", series_instance_uid=f"1.{n % 2}", geometry=geometry)
        for n in range(6)
    )
    assert images.by_sop_instance("1.2.3").path == "3.dcm"
    assert images.by_sop_instance("1.2.9") is images.by_sop_instance("") is None
    assert [ref.id for ref in images.series("1.1")] == [1, 3, 5]
    assert images.series("1.7") == []
    assert images[4].geometry == geometry


def test_names_that_many_images_share_are_told_apart_by_their_folders():
    images = made(*(f"case{number}/image.png" for number in range(3000)))
    assert images.find("top/case77/image.png").path == "case77/image.png"
    with pytest.raises(Ambiguous):
        images.find("image.png")


def test_what_other_folders_hold_is_no_image_of_these():
    images = made("patient1/001.dcm", "patient1/002.dcm")
    with pytest.raises(Unknown) as refused:  # folders that are numbered alike tell patients apart
        images.find("patient7/001.dcm")
    assert refused.value.near == ("patient1/001.dcm",)

    images = made("smith/001.dcm", "jones/002.dcm")
    assert images.find("export/smith/001.dcm").path == "smith/001.dcm"
    with pytest.raises(Unknown):  # the folders of the labels are those of the images, as was just seen
        images.find("export/miller/002.dcm")
    images.begin()
    with pytest.raises(Unknown):  # there is such a folder, without such an image
        images.find("smith/002.dcm")


def test_folders_that_both_have_below_a_patients_do_not_hide_whose_they_are():
    images = made("patient1/images/001.png", "data/patient2/ct/001.dcm")
    for reference in ("patient7/images/001.png", "top/patient7/images/001.png", "patient7/ct/001.dcm"):
        with pytest.raises(Unknown):
            images.find(reference)
    assert images.find("top/patient1/images/001.png").path == "patient1/images/001.png"
    assert images.find("patient2/ct/001.dcm").path == "data/patient2/ct/001.dcm"
    images = made("smith/images/001.png")
    assert images.find("work/images/001.png").path == "smith/images/001.png"
    with pytest.raises(Ambiguous):
        images.find("jones/images/001.png")


def test_the_base_name_alone_counts_for_one_folder_of_the_labels():
    images = made("smith/001.dcm", "smith/002.dcm")
    assert images.find("/home/me/work/001.dcm").path == "smith/001.dcm"
    assert images.find("/home/me/work/002.dcm").path == "smith/002.dcm"
    assert images.find("002.dcm").path == "smith/002.dcm"
    with pytest.raises(Ambiguous, match=r"other/002\.dcm"):
        images.find("other/002.dcm")
    assert images.find("smith/001.dcm").path == "smith/001.dcm"


def test_folders_that_say_nothing_of_the_images_are_left_out_of_account():
    flat = made("a.png", "b.png")
    assert flat.find("val2017/a.png").path == "a.png"
    assert flat.find("train2017/b.png").path == "b.png"
    split = made("pictures/a.png", "more/b.png")
    assert split.find("val2017/a.png").path == "pictures/a.png"
    assert split.find("train2017/b.png").path == "more/b.png"


@pytest.mark.parametrize(
    ("beside", "path"),
    [("set2/labels", "set2/images/a.png"), ("set1/labels", "set1/images/a.png"), ("elsewhere", "a.png"), ("", "a.png")],
)
def test_a_bare_name_is_the_image_nearest_to_the_labels(beside, path):
    images = made("a.png", "set1/images/a.png", "set2/images/a.png", "b.png")
    assert images.find("a.png", beside=beside).path == path
    assert images.find("b.png", beside=beside).path == "b.png"
