import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from annotations.formats import (
    DETECTION,
    SEGMENTATION,
    Images,
    ItemOut,
    LabelInfo,
    LabelSet,
    Mask,
    OutAnnotation,
    Output,
    detect,
    read,
    write,
)
from annotations.formats.ids import Numbers
from annotations.formats.jsonstream import walk

from .kit import MemoryFile, image, read_all, read_one, sort, unzip

# pycocotools 2.0 and NumPy 2.4; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = Images([image("a.png"), image("folder/b.png", number=2), image("c.png", number=3)])


def out(annotation_type, labels, items, **options):
    members = list(write("coco", Output(annotation_type, labels, "labels", options), items))
    return b"".join(members[0].content)


def items_of(images, result):
    """Return what an exporter would write of what was read."""
    by_image = {one.image: [] for one in result.listed}
    for one in result.found:
        by_image.setdefault(one.image, []).append(
            OutAnnotation(one.label, None, one.bbox, one.mask, one.polygons, one.score, one.frame, one.extra)
        )
    return [ItemOut(ref, by_image[ref.id]) for ref in images if ref.id in by_image]


def oracle(document, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
    path.write_bytes(document)
    with contextlib.redirect_stdout(io.StringIO()):
        return coco.COCO(str(path))


@pytest.mark.parametrize(
    ("name", "kind", "counts"),
    [
        ("coco_bccd", DETECTION, {"Platelets": 37, "WBC": 22, "RBC": 368}),
        ("coco_segmentation_ct_liver", SEGMENTATION, {"liver": 3}),
    ],
)
def test_coco_in_coco_out_is_equal_by_pycocotools(name, kind, counts, tmp_path):
    images, files = unzip(f"zips/{name}.zip")
    sets = detect(files, images)
    assert [one.annotation_type for one in sets] == [kind]
    result = sort(read(sets[0], images))
    assert result.problems == []
    assert result.counts() == counts
    before = oracle(files[0].content, tmp_path)
    written = out(kind, result.labels, items_of(images, result), document=sets[0].options.get("document"))
    after = oracle(written, tmp_path)
    assert {key: one["name"] for key, one in before.cats.items()} == {
        key: one["name"] for key, one in after.cats.items()
    }
    names = {one["id"]: one["file_name"].rpartition("/")[2] for one in before.dataset["images"]}
    assert names == {one["id"]: one["file_name"].rpartition("/")[2] for one in after.dataset["images"]}
    assert before.anns.keys() == after.anns.keys()
    assert before.dataset.get("info") == after.dataset["info"] or not before.dataset.get("info")
    for key, one in before.anns.items():
        other = after.anns[key]
        assert {name: one[name] for name in ("image_id", "category_id", "bbox", "area", "iscrowd")} == {
            name: other[name] for name in ("image_id", "category_id", "bbox", "area", "iscrowd")
        }
        if one["segmentation"]:
            assert np.array_equal(before.annToMask(one), after.annToMask(other))


def test_the_masks_of_the_liver_have_their_pixels():
    images, files = unzip("zips/coco_segmentation_ct_liver.zip")
    areas = [one.mask.area for one in read_one(files, images).found]
    assert areas[2] == 36233  # run lengths; polygons traced through pixel centres draw a little less than their source
    assert [round(area / source, 2) for area, source in zip(areas, (35220, 35645), strict=False)] == [0.99, 0.99]


def test_broken_references_are_named_and_the_rest_is_kept():
    images, files = unzip("bad/annotation/coco_broken_refs.zip")
    result = read_one(files, images)
    broken = json.loads(files[0].content)
    sound = len(result.found)
    assert sound + sum(problem.column not in ("image", "images.width") for problem in result.problems) == len(
        broken["annotations"]
    )
    assert sorted({(problem.column, problem.code) for problem in result.problems}) == [
        ("bbox", "label_row_invalid"),
        ("category_id", "label_row_invalid"),
        ("id", "label_conflict"),
        ("image", "label_image_unknown"),
        ("image_id", "label_image_unknown"),
    ]


def test_an_id_of_two_categories_is_refused():
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "x"}, {"id": 1, "name": "y"}, {"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    result = read_one([MemoryFile("a.json", json.dumps(document).encode())], IMAGES)
    assert [(problem.column, problem.row) for problem in result.problems] == [("categories.id", 2)]
    assert [one.label for one in result.found] == ["x"]


def test_what_an_export_gives_back_is_kept_once_however_often_it_is_read():
    document = {
        "info": {"year": 2026},
        "licenses": [{"id": 1}, {"id": 2}],
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    (label_set,) = detect([MemoryFile("a.json", json.dumps(document).encode())], IMAGES)
    for _ in range(3):
        assert len(sort(read(label_set, IMAGES)).found) == 1
    assert label_set.options["document"] == {"info": {"year": 2026}, "licenses": [{"id": 1}, {"id": 2}]}


MASKS = arrays.arrays(bool, (48, 64)).map(lambda pixels: pixels | (np.arange(48 * 64) == 100).reshape(48, 64))
POLYGONS = st.lists(
    st.lists(st.floats(0, 48, allow_nan=False), min_size=6, max_size=12).map(
        lambda values: values[: len(values) // 2 * 2]
    ),
    min_size=1,
    max_size=3,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(IMAGES)), st.sampled_from("xyz"), MASKS), max_size=6), st.randoms())
def test_masks_come_back_bit_for_bit(rows, random):
    by_image = {}
    for ref, label, pixels in rows:
        by_image.setdefault(ref, []).append(OutAnnotation(label, mask=Mask.from_array(pixels), score=random.random()))
    labels = [LabelInfo(name, {"id": 7 * place + 3}) for place, name in enumerate("xyz")]
    written = out(SEGMENTATION, labels, [ItemOut(ref, by_image.get(ref, [])) for ref in IMAGES])
    result = sort(read(LabelSet("coco", SEGMENTATION, [MemoryFile("a.json", written)], ""), IMAGES))
    assert result.problems == []
    assert result.labels == labels
    assert {one.image for one in result.listed} == {1, 2, 3}
    assert [(one.image, one.label, one.mask, one.score) for one in result.found] == [
        (ref.id, one.label, one.mask, one.score) for ref in IMAGES for one in by_image.get(ref, [])
    ]


PARTS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(2, 20), st.integers(2, 16)), min_size=1, max_size=3
)
FORMS = st.sampled_from(["polygons", "compressed", "uncompressed crowd"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([7, 3, 90]), st.sampled_from([5, 2]), FORMS, PARTS), min_size=1, max_size=6),
    st.permutations(["images", "categories", "annotations"]),
)
def test_any_document_goes_out_as_it_came_in_by_pycocotools(tmp_path_factory, rows, order):
    masks = pytest.importorskip("pycocotools.mask")
    annotations = []
    for number, (picture, category, form, parts) in enumerate(rows):
        polygons = [[x, y, x + w, y + 0.5, x + w / 3, y + h] for x, y, w, h in parts]
        encoded = masks.merge(masks.frPyObjects(polygons, 48, 64))
        segmentation = {
            "polygons": polygons,
            "compressed": {"size": [48, 64], "counts": encoded["counts"].decode()},
            "uncompressed crowd": {
                "size": [48, 64],
                "counts": Mask(48, 64, encoded["counts"].decode()).runs().tolist(),
            },
        }[form]
        if not masks.area(encoded):
            continue
        annotations.append({
            "id": 1000 - 3 * number,
            "image_id": picture,
            "category_id": category,
            "segmentation": segmentation,
            "area": float(masks.area(encoded)) + 0.25 * (number % 2),
            "bbox": masks.toBbox(encoded).tolist(),
            "iscrowd": int(form.endswith("crowd")),
        })  # fmt: skip
    if not annotations:
        return
    sections = {
        "images": [
            {"id": number, "file_name": ref.path, "width": 64, "height": 48}
            for number, ref in zip([7, 3, 90], IMAGES, strict=True)
        ],
        "categories": [{"id": 5, "name": "über, x", "supercategory": "s"}, {"id": 2, "name": "y"}],
        "annotations": annotations,
    }
    document = json.dumps({key: sections[key] for key in order}).encode()
    (label_set,) = detect([MemoryFile("a.json", document)], IMAGES)
    result = sort(read(label_set, IMAGES))
    assert result.problems == []
    folder = tmp_path_factory.mktemp("coco")
    before, after = (
        oracle(each, folder) for each in (document, out(SEGMENTATION, result.labels, items_of(IMAGES, result)))
    )
    assert before.cats == after.cats
    labelled = {one["image_id"] for one in annotations}
    assert {key: before.imgs[key] for key in labelled} == {key: after.imgs[key] for key in labelled}
    assert {one["file_name"] for one in before.imgs.values()} == {one["file_name"] for one in after.imgs.values()}
    assert before.anns.keys() == after.anns.keys()
    for key, one in before.anns.items():
        other = after.anns[key]
        assert {name: value for name, value in one.items() if name != "segmentation"} == {
            name: value for name, value in other.items() if name != "segmentation"
        }
        assert np.array_equal(before.annToMask(one), after.annToMask(other))
        if isinstance(one["segmentation"], list):
            assert one["segmentation"] == other["segmentation"]


@settings(deadline=None)
@given(st.permutations(["images", "categories", "annotations", "info"]))
def test_the_order_of_the_sections_does_not_matter(order):
    sections = {
        "info": {"year": 2026},
        "images": [{"id": 5, "file_name": "a.png", "width": 64, "height": 48}],
        "categories": [{"id": 9, "name": "x", "supercategory": "s"}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4], "attributes": {"a": 1}}],
    }
    sets = detect([MemoryFile("a.json", json.dumps({key: sections[key] for key in order}).encode())], IMAGES)
    result = sort(read(sets[0], IMAGES))
    assert result.problems == []
    assert result.found[0].bbox == (1, 2, 3, 4)
    assert result.found[0].extra == {"id": 1, "image_id": 5, "attributes": {"a": 1}}
    assert sets[0].options["document"] == {"info": {"year": 2026}}


def test_boxes_and_masks_in_one_file_make_two_sets():
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "segmentation": [[1, 1, 6, 1, 6, 6]]},
        ],
    }
    results = read_all([MemoryFile("a.json", json.dumps(document).encode())], IMAGES)
    assert {suffix: len(result.found) for suffix, result in results.items()} == {"_a_boxes": 1, "_a_masks": 1}


def test_results_name_images_and_scores():
    results = [{"image_id": "folder/b.png", "category_id": 4, "bbox": [1, 1, 5, 5], "score": 0.25}]
    result = read_one([MemoryFile("r.json", json.dumps(results).encode())], IMAGES)
    assert [(one.image, one.label, one.score) for one in result.found] == [(2, "4", 0.25)]


def test_labels_of_the_stored_picture_turn_with_it():
    images = Images([image("a.png", orientation=6)])
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 48, "height": 64}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    assert read_one([MemoryFile("a.json", json.dumps(document).encode())], images).found[0].bbox == (58, 1, 4, 3)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(st.text(max_size=3), st.lists(SCALARS, max_size=2), max_size=2)
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.integers(1, 7), st.sampled_from([None, 1]))
def test_a_document_is_walked_as_it_is_written(document, chunk, indent):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(chunk)

    walked = {}
    for key, place, value in walk(
        Slow(json.dumps(document, indent=indent, ensure_ascii=False).encode("utf-8", "replace"))
    ):
        if place:
            walked.setdefault(key, []).append(value)
        else:
            walked[key] = value
    clean = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    assert walked == {key: value for key, value in clean.items() if value != []}


@pytest.mark.parametrize(
    "text",
    ["", "7", "{", '{"a": [1, 2', '{"a" 1}', '{"a": 1}x', '{"a": ' + "[" * 100000, '{"a": "\\x"}', '{"a": 1,}', "\xff"],
)
def test_what_is_no_json_is_named(text):
    result = sort(read(LabelSet("coco", DETECTION, [MemoryFile("a.json", text.encode("latin-1"))], ""), IMAGES))
    assert [problem.code for problem in result.problems] == ["label_file_invalid"]


@settings(deadline=None)
@given(st.lists(st.integers(-30, 30)))
def test_numbers_are_a_set(values):
    numbers, naive = Numbers(), set()
    for value in values:
        assert numbers.add(value) == (value not in naive)
        naive.add(value)
    taken = numbers.take()
    assert taken not in naive
    assert len(numbers._starts) == sum(value - 1 not in naive | {taken} for value in naive | {taken})
