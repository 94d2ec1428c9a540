import pytest

from annotations.formats import DETECTION, MULTI_LABEL, SINGLE_LABEL, Images, LabelSet, detect, read

from .kit import MemoryFile, image, read_all, read_one, sort, unzip

IMAGES = Images([image("a.png"), image("folder/b.png", number=2), image("c.png", number=3)])


@pytest.mark.parametrize(
    ("name", "each", "classes"),
    [("class_folders_mednist", 25, 6), ("class_folders_nested_mednist", 25, 3), ("bench_class_folders_2700", 450, 6)],
)
def test_class_folders_say_the_class(name, each, classes):
    images, files = unzip(f"zips/{name}.zip")
    results = read_all(files, images)
    assert list(results) == ["_classes"]
    counts = results["_classes"].counts()
    assert len(counts) == classes
    assert set(counts.values()) == {each}


def test_class_folders_are_no_labels_of_a_file_that_comes_later():
    images = Images([image("classes/x/a.png")])
    assert [one.format for one in detect([], images)] == ["class-folders"]
    assert detect([], images, class_folders=False) == []


def test_images_in_no_class_are_not_labelled():
    images = Images([image("classes/a.png"), image("image/b.png"), image("subclasses/x/c.png")])
    assert detect([], images) == []


def csv_file(text):
    return MemoryFile("table.csv", text.encode())


def test_a_header_of_the_usual_names_needs_no_mapping():
    text = (
        "filename,class,xmin,ymin,xmax,ymax,score\na.png,x,1,2,11,22,0.5\n"
        "folder/b.png,,,,,,\nc.png,x,1,2,0,5,\nd.png,x,1,1,2,2,\n"
    )
    sets = detect([csv_file(text)], IMAGES)
    assert [(one.format, one.annotation_type) for one in sets] == [("csv-header", DETECTION)]
    result = read_one([csv_file(text)], IMAGES)
    assert [(one.bbox, one.score) for one in result.found] == [((1, 2, 10, 20), 0.5)]
    assert [one.image for one in result.listed] == [2]
    assert [(problem.row, problem.code) for problem in result.problems] == [
        (4, "label_box_empty"),
        (5, "label_image_unknown"),
    ]


def test_a_header_may_be_mapped_by_hand():
    text = "which;what;ja\na.png;x;1\nc.png;x;0\nfolder/b.png;x;2\n"
    columns = {"image": "which", "label": "what", "value": "ja"}
    result = sort(read(LabelSet("csv-header", MULTI_LABEL, [csv_file(text)], ""), IMAGES, {"columns": columns}))
    assert [(one.image, one.value) for one in result.found] == [(1, 1), (3, 0)]
    assert [problem.row for problem in result.problems] == [4]
    result = sort(
        read(LabelSet("csv-header", MULTI_LABEL, [csv_file(text)], ""), IMAGES, {"columns": {"image": "none"}})
    )
    assert [problem.code for problem in result.problems] == ["label_file_invalid"]


def test_one_column_of_flags_for_each_class_is_multi_label():
    text = "Image,Sex,edema,mass\na.png,F,1,0\nfolder/b.png,M,0,0\n"
    sets = detect([csv_file(text)], IMAGES)
    assert sets[0].annotation_type == MULTI_LABEL
    result = read_one([csv_file(text)], IMAGES)
    assert [(one.image, one.label, one.value) for one in result.found] == [
        (1, "edema", 1),
        (1, "mass", 0),
        (2, "edema", 0),
        (2, "mass", 0),
    ]


def test_a_header_over_two_columns_is_not_a_row():
    images, files = unzip("bad/label/csv_header_row.zip")
    sets = detect(files, images)
    assert [(one.format, one.annotation_type) for one in sets] == [("csv-header", SINGLE_LABEL)]
    result = read_one(files, images)
    assert result.counts() == {"Hand": 3, "Other": 3}
    assert result.problems == []
