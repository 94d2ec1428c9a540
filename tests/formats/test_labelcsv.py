import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotations.formats import (
    DETECTION,
    MULTI_LABEL,
    SEGMENTATION,
    SINGLE_LABEL,
    Found,
    Images,
    ItemOut,
    LabelSet,
    Mask,
    OutAnnotation,
    Output,
    read,
    write,
)

from .kit import MemoryFile, image, read_all, read_one, sort, unzip

IMAGES = Images([image("a.png"), image("folder/b.png", number=2), image("c d.png", number=3)])
LABELS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1, max_size=9
)


def csv_file(content, name="label.csv"):
    return MemoryFile(name, content if isinstance(content, bytes) else content.encode())


def written(kind, items):
    members = [(one.name, b"".join(one.content)) for one in write("csv", Output(kind, [], "labels"), items)]
    assert [name for name, _ in members] == ["labels.csv"]
    return members[0][1]


def back(kind, items):
    label_set = LabelSet("csv", kind, [csv_file(written(kind, items))], "labels")
    return sort(read(label_set, IMAGES))


@pytest.mark.parametrize(
    ("name", "suffix", "kind", "counts"),
    [
        (
            "label_single_mednist",
            "_label",
            SINGLE_LABEL,
            dict.fromkeys(["AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT"], 20),
        ),
        (
            "label_single_noext_nested_bom_crlf",
            "_label",
            SINGLE_LABEL,
            dict.fromkeys(["AbdomenCT", "BreastMRI", "CXR"], 20),
        ),
        ("label_single_numeric_quoted", "_label", SINGLE_LABEL, {"001": 20, "002": 20, "003": 20}),
        ("label_multi_bccd", "_label", MULTI_LABEL, {"RBC": 40, "WBC": 40, "Platelets": 31}),
        ("label_detection_bccd", "_label", DETECTION, {"Platelets": 55, "WBC": 34, "RBC": 525}),
        ("label_detection_float_bccd", "_label", DETECTION, {"Platelets": 19, "WBC": 11, "RBC": 176}),
        ("dicom_label_csv", "_label", SINGLE_LABEL, {"CT": 3, "MR": 3, "US": 3}),
    ],
)
def test_the_labelled_zips_say_what_they_say(name, suffix, kind, counts):
    images, files = unzip(f"zips/{name}.zip")
    results = read_all(files, images)
    assert list(results) == [suffix]
    result = results[suffix]
    assert result.problems == []
    result.found = [one for one in result.found if one.value != 0]
    assert result.counts() == counts


BAD = [
    ("csv_big5_class", 6, {}),
    (
        "csv_box_bad_numbers",
        1,
        {
            2: "label_row_invalid",
            3: "label_box_outside",
            4: "label_box_outside",
            5: "label_box_empty",
            6: "label_row_invalid",
        },
    ),
    ("csv_class_under_3_images", 6, {}),
    ("csv_conflicting_labels", 6, {7: "label_conflict"}),
    ("csv_formula_injection", 6, {}),
    ("csv_html_class", 6, {}),
    ("csv_huge_field", 6, {1: "label_row_invalid"}),
    ("csv_missing_image", 6, {7: "label_image_unknown"}),
    ("csv_mixed_kinds", 6, {7: "label_kinds_mixed", 8: "label_kinds_mixed"}),
    ("csv_multilabel_bad_flag", 2, dict.fromkeys((3, 4, 5, 6), "label_row_invalid")),
    ("csv_semicolon", 6, {}),
    ("csv_null_bytes", 6, {1: "label_row_invalid"}),
    ("csv_utf16", 6, {}),
    ("csv_wrong_columns", 6, {7: "label_row_invalid", 8: "label_row_invalid", 9: "label_row_invalid"}),
]


@pytest.mark.parametrize(("name", "good", "problems"), BAD)
def test_every_bad_row_is_named_and_the_good_ones_are_kept(name, good, problems):
    images, files = unzip(f"bad/label/{name}.zip")
    result = read_one(files, images)
    assert len(result.found) == good
    assert {problem.row: problem.code for problem in result.problems} == problems
    assert all(problem.path == "label.csv" and problem.message.endswith(".") for problem in result.problems)


def test_class_names_in_other_encodings_arrive_as_they_were_written():
    images, files = unzip("bad/label/csv_big5_class.zip")
    assert set(read_one(files, images).counts()) == {files[0].content.splitlines()[0].split(b",")[1].decode("big5")}
    assert read_one([csv_file("a.png,Größe\n".encode("cp1252"))], IMAGES).counts() == {"Größe": 1}


def test_an_empty_file_has_no_labels():
    images, files = unzip("bad/label/csv_empty.zip")
    assert [problem.code for problem in read_one(files, images).problems] == ["label_file_empty"]


def test_two_files_make_two_sets():
    images, files = unzip("bad/label/two_label_csv.zip")
    assert [len(result.found) for result in read_all(files, images).values()]
    assert len(files) == 2


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(IMAGES)), LABELS), unique_by=lambda pair: pair[0].id))
def test_single_labels_come_back(pairs):
    result = back(SINGLE_LABEL, [ItemOut(ref, [OutAnnotation(label, 1)]) for ref, label in pairs])
    assert result.problems == []
    assert [(one.image, one.label) for one in result.found] == [(ref.id, label) for ref, label in pairs]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(list(IMAGES)), st.dictionaries(LABELS, st.integers(0, 1), max_size=4)))
def test_multi_labels_come_back(table):
    items = [ItemOut(ref, [OutAnnotation(*pair) for pair in values.items()]) for ref, values in table.items()]
    result = back(MULTI_LABEL, items)
    assert result.problems == []
    assert [one.image for one in result.listed] == [ref.id for ref, values in table.items() if not values]
    assert [(one.image, one.label, one.value) for one in result.found] == [
        (ref.id, *pair) for ref, values in table.items() for pair in values.items()
    ]


EDGE = st.floats(0, 20, allow_nan=False)
SIDE = st.floats(0.001, 20)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(IMAGES)), LABELS, st.tuples(EDGE, EDGE, SIDE, SIDE)), min_size=1))
def test_boxes_come_back_bit_for_bit(boxes):
    result = back(DETECTION, [ItemOut(ref, [OutAnnotation(label, bbox=box)]) for ref, label, box in boxes])
    assert result.problems == []
    assert [(one.image, one.label, one.bbox) for one in result.found] == [(ref.id, *rest) for ref, *rest in boxes]


@settings(deadline=None)
@given(arrays.arrays(bool, (48, 64)), LABELS)
def test_masks_come_back_bit_for_bit(pixels, label):
    pixels[0, 0] = True
    mask = Mask.from_array(pixels)
    result = back(SEGMENTATION, [ItemOut(IMAGES[0], [OutAnnotation(label, mask=mask)]), ItemOut(IMAGES[1], [])])
    assert result.problems == []
    assert [(one.label, one.mask) for one in result.found] == [(label, mask)]
    assert [one.image for one in result.listed] == [2]


def packed(pixels, *, rows=False, order="big", blocks=1):
    bits = np.packbits(pixels, axis=1 if rows else None, bitorder=order).tobytes()
    deflate = zlib.compressobj()
    cut = len(bits) // blocks
    stream = b"".join(
        deflate.compress(bits[at : at + cut]) + deflate.flush(zlib.Z_FULL_FLUSH) for at in range(0, len(bits), cut)
    )
    return base64.b64encode(stream + deflate.flush()).decode()


@settings(deadline=None)
@given(
    arrays.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))),
    st.booleans(),
    st.sampled_from(["big", "little"]),
    st.integers(1, 3),
)
def test_masks_of_other_writers_are_read(pixels, rows, order, blocks):
    pixels[0, 0] = True
    height, width = pixels.shape
    text = packed(pixels, rows=rows, order=order, blocks=min(blocks, len(np.packbits(pixels))))
    first = "#bitorder=little\n" if order == "little" else ""
    images = Images([image(width=width, height=height)])
    result = read_one([csv_file(f"{first}a.png,x,{width},{height},{text}\n" * 1)], images)
    if rows and len(np.packbits(pixels)) == height * ((width + 7) // 8):
        return  # as long as without padding, so it counts as such (P16: told by length)
    assert result.problems == []
    assert np.array_equal(result.found[0].mask.decode(), pixels)


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        ("====", "not base64"),
        (base64.b64encode(b"none").decode(), "not a zlib stream"),
        (base64.b64encode(zlib.compress(bytes(383))).decode(), "383 bytes"),
        (base64.b64encode(zlib.compress(bytes(385))).decode(), "more than"),
        (base64.b64encode(zlib.compress(bytes(50_000_000))).decode(), "more than"),
        (base64.b64encode(zlib.compress(bytes(384))[:-6]).decode(), "ends early"),
        (base64.b64encode(zlib.compress(bytes(384)) + b"x").decode(), "follows"),
        (base64.b64encode(zlib.compress(bytes(384))).decode(), "No pixel"),
    ],
)
def test_what_is_no_mask_is_said_to_be_none(mask, sentence):
    result = read_one([csv_file(f"a.png,x,64,48,{mask}\n")], IMAGES)
    assert [problem.column for problem in result.problems] == ["mask"]
    assert sentence in result.problems[0].message


def test_a_mask_of_another_size_than_the_image_is_refused():
    text = packed(np.ones((10, 10), bool))
    result = read_one([csv_file(f"a.png,x,10,10,{text}\n")], IMAGES)
    assert [problem.code for problem in result.problems] == ["label_size_differs"]


def test_masks_made_on_the_stored_picture_turn_with_it():
    stored = np.zeros((64, 48), bool)
    stored[3, 5] = True
    images = Images([image(orientation=6)])
    result = read_one([csv_file(f"a.png,x,48,64,{packed(stored)}\n")], images)
    assert np.argwhere(result.found[0].mask.decode()).tolist() == [[5, 60]]


def test_rows_with_the_image_alone_list_it():
    result = read_one([csv_file("a.png,x,1,1,5,5\nfolder/b.png\nnot.png\n\n")], IMAGES)
    assert [one.image for one in result.listed] == [2]
    assert [(problem.row, problem.code) for problem in result.problems] == [(3, "label_image_unknown")]


def test_rounding_over_the_border_is_no_fault():
    assert read_one([csv_file("a.png,x,-0.01,0,64.02,48\n")], IMAGES).problems == []


def test_quotes_that_never_close_cost_no_more_than_the_rest_of_the_file():
    result = read_one([csv_file('a.png,x\n"c d.png,y\nfolder/b.png,x\n')], IMAGES)
    assert isinstance(result.found[0], Found)
    assert [problem.code for problem in result.problems] == ["label_row_invalid"]
