"""LabelMe, Pascal VOC and YOLO: formats with one file for each image."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from annotations.formats import (
    DETECTION,
    MULTI_LABEL,
    SEGMENTATION,
    Images,
    ItemOut,
    LabelError,
    LabelInfo,
    Mask,
    OutAnnotation,
    Output,
    detect,
    draw,
    embedded_image,
    write,
)

from .kit import MemoryFile, image, read_all, read_one, unzip

IMAGES = Images([image("a.png"), image("folder/a.png", number=2), image("folder/b.jpg", number=3)])
NAMES = ["x", "größer, “y”", "null", "01"]
LABELS = [LabelInfo(name) for name in NAMES]
EDGE = st.integers(0, 10) | st.floats(0, 10, allow_nan=False)
SIDE = st.integers(1, 30) | st.floats(0.5, 30)
BOXES = st.lists(st.tuples(st.sampled_from(list(IMAGES)), st.sampled_from(NAMES), st.tuples(EDGE, EDGE, SIDE, SIDE)))
PIXELS = arrays.arrays(bool, (48, 64)).map(lambda pixels: pixels | (np.arange(48 * 64) == 100).reshape(48, 64))


def files_of(key, kind, items):
    return [MemoryFile(one.name, b"".join(one.content)) for one in write(key, Output(kind, LABELS), items)]


def items_of(rows, make):
    return [ItemOut(ref, [make(label, what) for one, label, what in rows if one.id == ref.id]) for ref in IMAGES]


@pytest.mark.parametrize(
    ("name", "suffix", "counts"),
    [
        ("zips/labelme_separate_bccd.zip", "-1", {"RBC": 111, "WBC": 14, "Platelets": 11}),
        ("zips/labelme_polygon_ct_liver.zip", "-1", {"liver": 3}),
        ("zips/voc_bccd.zip", "_voc", {"WBC": 14, "RBC": 181, "Platelets": 20}),
        ("zips/yolo_bccd.zip", "_yolo", {"WBC": 14, "RBC": 181, "Platelets": 20}),
    ],
)
def test_the_zips_say_what_they_say(name, suffix, counts):
    images, files = unzip(name)
    results = read_all(files, images)
    assert suffix in results
    assert results[suffix].counts() == counts
    assert all(result.problems == [] for result in results.values())
    if suffix == "-1":
        assert detect(files, images)[0].annotation_type == MULTI_LABEL
        assert {one.image for one in results["-0"].found} == {ref.id for ref in images}


def test_pictures_inside_labelme_files_are_taken_out():
    images, files = unzip("zips/labelme_embedded_bccd.zip")
    assert len(images) == 0
    assert len(files) == 12
    pictures = [embedded_image(file.path, file.content) for file in files]
    found = Images(image(name, 640, 480, number) for number, (name, _) in enumerate(pictures, 1))
    assert all(Image.open(io.BytesIO(content)).size == (640, 480) for _, content in pictures)
    results = read_all(files, found)
    assert results["-1"].counts() == {"RBC": 111, "WBC": 14, "Platelets": 11}
    assert all(result.problems == [] for result in results.values())


def test_what_is_wrong_with_labelme_files_is_named():
    with pytest.raises(LabelError, match="base64"):
        embedded_image("a.json", unzip("bad/annotation/labelme_bad_base64.zip")[1][0].content)
    images, files = unzip("bad/annotation/labelme_bad_json.zip")
    assert [problem.code for problem in read_one(files, images).problems] == ["label_file_invalid"]
    assert embedded_image("a.json", files[0].content) is None
    images, files = unzip("bad/annotation/labelme_no_image.zip")
    assert {problem.code for result in read_all(files, images).values() for problem in result.problems} == {
        "label_image_unknown"
    }
    assert embedded_image("a.json", files[0].content) is None
    assert embedded_image("a.json", unzip("zips/coco_bccd.zip")[1][0].content) is None


def test_a_path_that_leads_outside_is_not_followed():
    images, files = unzip("bad/annotation/labelme_imagepath_traversal.zip")
    result = read_one(files, images)
    assert [one.image for one in result.listed] == [1]
    assert result.problems == []
    document = {"shapes": [], "imagePath": "../../etc/passwd", "imageData": base64.b64encode(b"x").decode()}
    assert embedded_image("a.json", json.dumps(document).encode()) == ("../../etc/passwd", b"x")


def test_another_patients_folder_is_not_left_out_to_find_some_image():
    images = Images([image("patient1/7.png")])
    shape = {"label": "x", "shape_type": "rectangle", "points": [[1, 2], [5, 6]]}
    labelme = {"version": "5", "imagePath": "../patient7/7.png", "imageHeight": 48, "imageWidth": 64, "shapes": [shape]}
    voc = b"<annotation><filename>patient7/7.png</filename><object><name>x</name><bndbox><xmin>1</xmin><ymin>1</ymin>"
    voc += b"<xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>"
    for file in (
        MemoryFile("labels/7.json", json.dumps(labelme).encode()),
        MemoryFile("labels/7.xml", voc),
    ):
        results = read_all([file], images).values()
        assert [one for result in results for one in result.found] == []
        assert {problem.code for result in results for problem in result.problems} == {"label_image_unknown"}
    beside = read_all([MemoryFile("patient1/7.json", json.dumps(labelme).encode())], images).values()
    assert {one.image for result in beside for one in result.found} == {1}


def test_shapes_that_are_none_are_named_one_by_one():
    images, files = unzip("bad/annotation/labelme_shapes_outside.zip")
    results = read_all(files, images)
    assert [(problem.row, problem.code) for problem in results["-1"].problems] == [(1, "label_box_outside")]
    assert [(problem.row, problem.column) for problem in results["-2"].problems] == [
        (2, "points"),
        (3, "label"),
        (4, "shape_type"),
    ]
    assert [problem.row for problem in results["-0"].problems] == [3]
    assert results["-0"].counts() == {"RBC": 1, "x": 1}


def test_labelme_polygons_of_one_group_are_one_object_and_masks_are_read():
    png = io.BytesIO()
    Image.fromarray(np.array([[255, 0], [0, 255]], np.uint8)).save(png, "PNG")
    shape = {"label": "x", "shape_type": "polygon", "group_id": 4, "flags": {}}
    document = {
        "imagePath": "a.png",
        "imageWidth": 64,
        "imageHeight": 48,
        "shapes": [
            {**shape, "points": [[1, 1], [5, 1], [5, 5], [1, 5]]},
            {**shape, "points": [[20, 20], [30, 20], [30, 30]]},
            {
                "label": "y",
                "shape_type": "mask",
                "points": [[3, 4], [5, 6]],
                "mask": base64.b64encode(png.getvalue()).decode(),
            },
        ],
    }
    result = read_all([MemoryFile("a.json", json.dumps(document).encode())], IMAGES)["-1"]
    mask, group = sorted(result.found, key=lambda one: one.label, reverse=True)
    assert np.argwhere(mask.mask.decode()).tolist() == [[4, 3], [5, 4]]
    assert group.mask == draw(group.polygons, 48, 64)
    assert len(group.polygons) == 2
    assert group.extra == {"group_id": 4}


def test_labelme_labels_of_the_stored_picture_turn_with_it():
    document = {
        "imagePath": "a.png",
        "imageWidth": 48,
        "imageHeight": 64,
        "shapes": [{"label": "x", "shape_type": "rectangle", "points": [[1, 2], [4, 6]]}],
    }
    files = [MemoryFile("a.json", json.dumps(document).encode())]
    assert read_all(files, Images([image("a.png", orientation=8)]))["-1"].found[0].bbox == (2, 44, 4, 3)
    assert [one.code for one in read_all(files, Images([image("a.png")]))["-1"].problems] == ["label_size_differs"]


def test_a_bomb_of_entities_is_refused_and_no_file_is_read():
    images, files = unzip("bad/annotation/voc_entity_bomb.zip")
    result = read_one(files, images)
    assert [(problem.code, "document type" in problem.message) for problem in result.problems] == [
        ("label_file_invalid", True)
    ]


@pytest.mark.parametrize("key", ["labelme", "voc", "yolo"])
@settings(deadline=None)
@given(rows=BOXES)
def test_boxes_come_back(key, rows):
    items = items_of(rows, lambda label, box: OutAnnotation(label, bbox=box))
    files = files_of(key, DETECTION, items)
    assert len({file.path for file in files}) == len(files)
    if not rows:
        return  # nothing tells the type of a set without a shape
    results = read_all(files, IMAGES)
    result = results[max(results)] if key == "labelme" else results[f"_{key}"]
    assert result.problems == []
    assert {one.image for one in result.listed} == {1, 2, 3}
    expected = [(item.image.id, one.label, one.bbox) for item in items for one in item.annotations]
    got = sorted(result.found, key=lambda one: one.image)
    assert [(one.image, one.label) for one in got] == [one[:2] for one in expected]
    for one, (_, _, box) in zip(got, expected, strict=True):
        assert one.bbox == pytest.approx(box, abs=2e-5)
        if all(value == int(value) for value in box):
            assert one.bbox == box


@pytest.mark.parametrize("key", ["labelme", "yolo"])
@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from(list(IMAGES)), st.sampled_from(NAMES), PIXELS), min_size=1, max_size=3))
def test_masks_come_back_bit_for_bit(key, rows):
    items = items_of(rows, lambda label, pixels: OutAnnotation(label, mask=Mask.from_array(pixels)))
    results = read_all(files_of(key, SEGMENTATION, items), IMAGES)
    result = results["-1" if key == "labelme" else "_yolo"]
    assert result.problems == []
    expected = {}
    for item in items:
        for one in item.annotations:
            cell = expected.setdefault((item.image.id, one.label), np.zeros((48, 64), bool))
            cell |= one.mask.decode()
    got = {}
    for one in result.found:
        cell = got.setdefault((one.image, one.label), np.zeros((48, 64), bool))
        cell |= one.mask.decode()
    assert got.keys() == expected.keys()
    assert all(np.array_equal(got[key], expected[key]) for key in got)
    if key == "labelme":
        assert len(result.found) == len(rows)


def test_yolo_names_may_be_a_list_a_mapping_or_missing():
    row = MemoryFile("labels/a.txt", b"1 0.5 0.5 0.25 0.5 0.75\n")
    images = Images([image("images/a.png")])
    for name, content, label in [
        ("data.yaml", b"names: [u, v]", "v"),
        ("data.yaml", b"names:\n  0: u\n  1: v", "v"),
        ("classes.txt", b"u\nv\n", "v"),
    ]:
        result = read_one([MemoryFile(name, content), row], images)
        assert [(one.label, one.bbox, one.score) for one in result.found] == [(label, (24, 12, 16, 24), 0.75)]
    assert [one.label for one in read_one([row], images).found] == ["1"]


def test_a_class_that_two_files_name_otherwise_is_refused():
    images = Images([image("images/a.png")])
    row = MemoryFile("labels/a.txt", b"1 0.5 0.5 0.25 0.5\n")
    files = [MemoryFile("classes.txt", b"u\nv\n"), MemoryFile("data.yaml", b"names: [u, w]"), row]
    result = read_one(files, images)
    assert [(problem.code, problem.column) for problem in result.problems] == [("label_conflict", "names")]


@pytest.mark.parametrize(
    "text",
    ["x: !!bool foo", "x: !!int ''", "x: !!timestamp foo", "? {a: b}\n: c", "a: *b", "%", "[" * 5_000, "x: !!float ."],
)
def test_no_yaml_is_too_odd_to_be_refused(text):
    row = MemoryFile("labels/a.txt", b"1 0.5 0.5 0.25 0.5\n")
    result = read_one([MemoryFile("data.yaml", b"names: [u]\n" + text.encode()), row], Images([image("images/a.png")]))
    assert {problem.code for problem in result.problems} <= {"label_file_invalid"}
    assert len(result.found) == 1


def test_bad_yolo_rows_are_named_one_by_one():
    files = [
        MemoryFile("data.yaml", b"names: [u]"),
        MemoryFile("a.txt", b"0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\nx 1 1 1 1\n0 0.5 0.5 1.5 0.1\n0 1\n0 nan 0 0 0\n"),
    ]
    result = read_one(files, Images([image("a.png")]))
    assert len(result.found) == 1
    assert result.rows() == [2, 3, 4, 5, 6]


def test_what_lies_beside_is_left_to_others():
    files = [MemoryFile("README.txt", b"Hello\n"), MemoryFile("x.json", b'{"a": 1}'), MemoryFile("x.xml", b"<a/>")]
    assert detect(files, IMAGES) == []
