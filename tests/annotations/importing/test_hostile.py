"""Label files that somebody made wrong, or means to do harm with: a sentence for each, and never half an import."""

from __future__ import annotations

import gzip
import json

import pytest

from annotations.exporting import export, formats_for
from annotations.importing import rows
from annotations.models import AnnotationData
from deepcap.common.leases import WorkState
from tests.builders import make_dataset, make_image, make_study, png, zip_of

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

PATHS = ("a.png", "b.png", "folder/a.png", "Folder/A.PNG")
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
OUTLINE = [[1, 1, 6, 1, 6, 6, 1, 6]]
SHAPE = {"label": "x", "shape_type": "rectangle", "points": [[1, 1], [5, 5]]}
NUMBER = b"9" * 5000
ALIASES = "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join('*' + before for _ in range(8))}]\n"
    for before, this in zip("abcdefghi", "bcdefghij", strict=True)
)


def coco(annotation=None, **sections) -> bytes:
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 20, "height": 16}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [BOX | (annotation or {})],
    }
    return json.dumps(document | sections).encode()


def labelme(*shapes, **fields) -> bytes:
    document = {"shapes": list(shapes or [SHAPE]), "imagePath": "a.png", "imageHeight": 16, "imageWidth": 20}
    return json.dumps(document | fields).encode()


@pytest.fixture
def dataset(user):
    made = make_dataset(user, image_count=len(PATHS), study_count=len(PATHS))
    for number, path in enumerate(PATHS):
        make_image(make_study(made, number, images=0), path, png(number))
    return made


@pytest.fixture
def looked_at(client, user):
    """Call with annotation data: every page and every export of them is whole."""
    client.force_login(user)

    def look(data: AnnotationData) -> None:
        assert data.label_import.state == WorkState.DONE
        api = f"/api/v1/annotation-data/{data.pk}/"
        for url in (data.get_absolute_url(), f"{api}images/", f"{api}statistics.csv", f"{api}report.csv"):
            response = client.get(url)
            assert response.status_code == 200
            assert b"".join(response) is not None
        for key, _title in formats_for(data.annotation_type) if data.image_count else ():
            assert b"".join(export(data, file_format=key).chunks)

    return look


READ = {  # file → annotations
    "UTF-16 without a mark": ("label.csv", "a.png,x\nb.png,y\n".encode("utf-16-le"), 2),
    "UTF-32": ("label.csv", "a.png,x\nb.png,y\n".encode("utf-32"), 2),
    "a mark and Windows line ends": ("label.csv", "\ufeffa.png,x\r\nb.png,y\r\n".encode(), 2),
    "line ends of old Macs": ("label.csv", b"a.png,x\rb.png,y\r", 2),
    "all three kinds of line ends": ("label.csv", b"a.png,x\r\nb.png,y\nfolder/a.png,z\r", 3),
    "tabs": ("label.tsv", b"a.png\tx\nb.png\ty\n", 2),
    "a header that says everything twice": ("label.csv", b"file,file,class,class\na.png,b.png,x,y\n", 1),
    "a header with a NUL": ("label.csv", b"file,c\x00l,class\na.png,1,x\n", 1),
    "quotes, markup and direction marks": (
        "label.csv",
        'a.png,"he said ""hi"""\nb.png,<script>alert(1)</script>\nfolder/a.png,\u202eabc\nFolder/A.PNG,\'"\n'.encode(),
        4,
    ),
    "names that differ by case alone": ("label.csv", b"folder/a.png,x\nFolder/A.PNG,y\n", 2),
    "attributes that are no numbers": ("c.json", coco({"attributes": {"a": float("nan"), "b": [float("inf")]}}), 1),
    "attributes with NUL and half a letter": ("c.json", coco({"k\x00": "\x00", "note": "\ud800"}), 1),
    "attributes nested deeply": ("c.json", coco({"deep": json.loads("[" * 900 + "]" * 900)}), 1),
    "a document that says nonsense of itself": ("c.json", coco(info={"a": float("inf"), "\x00": "\ud800"}), 1),
    "a class that says nonsense": ("c.json", coco(categories=[{"id": 1, "name": "x", "s": ["\x00", float("nan")]}]), 1),
    "an id of 3,000 digits": ("c.json", coco({"id": 10**3000}), 1),
    "the same class twice": ("c.json", coco(categories=[{"id": 1, "name": "x"}, {"id": 2, "name": "x"}]), 1),
    "a mask whose box is nonsense": ("c.json", coco({"segmentation": OUTLINE, "bbox": [1e308, 1, -5, 1e308]}), 1),
    "a description with a NUL": ("a.json", labelme(SHAPE | {"description": "\x00", "flags": {"\x00": True}}), 1),
}

REFUSED = {  # file → row, column and code of what was not used
    "another separator": ("label.csv", b"a.png|x\nb.png|y\n", [(None, "", "label_file_invalid")]),
    "nothing but spaces": ("label.csv", b"  \n \n", [(None, "", "label_file_empty")]),
    "nothing but commas": ("label.csv", b",,\n", [(1, "image", "label_image_unknown")]),
    "half a letter": ("label.csv", "a.png,x\n".encode("utf-16") + b"x", [(None, "", "label_encoding_unknown")]),
    "a line of ten million": ("label.csv", b"a.png," + b"x" * 10_000_000, [(1, "class", "label_row_invalid")]),
    "no line at all": ("label.csv", b"x" * 10_000_000, [(None, "", "label_file_invalid")]),
    "a line end in a class": ("label.csv", b'a.png,"x\ny"\n', [(1, "class", "label_row_invalid")]),
    "numbers that are none": (
        "label.csv",
        b"a.png,x,nan,1,5,5\na.png,x,1,inf,5,5\na.png,x,1,1,-inf,5\na.png,x,1,1,5,1e400\n",
        [(row + 1, name, "label_row_invalid") for row, name in enumerate(("x", "y", "width", "height"))],
    ),
    "boxes outside": (
        "label.csv",
        b"a.png,x,-3,1,5,5\na.png,x,3,1,-5,5\na.png,x,3,12,5,5\n",
        [(1, "x", "label_box_outside"), (2, "width", "label_box_empty"), (3, "y", "label_box_outside")],
    ),
    "a number of 5,000 digits": ("label.csv", b"a.png,x,%b,1,5,5\n" % NUMBER, [(1, "x", "label_row_invalid")]),
    "a mask of a possible but huge size": (
        "label.csv",
        b"a.png,x,99999999999,99999999999,eNo=\n",
        [(1, "image width", "label_size_differs")],
    ),
    "an archive in the archive": (
        "l.zip",
        zip_of([("in.zip", zip_of([("label.csv", b"a.png,x\n")]))]),
        [(None, "", "nested_archive"), (None, "", "label_file_unknown")],
    ),
    "an empty archive": ("l.zip", zip_of([]), [(None, "", "label_file_unknown")]),
    "an archive cut short": ("l.zip", b"PK\x03\x04" + b"x" * 100, [(None, "", "zip_damaged")]),
    "a packed file": ("label.csv.gz", gzip.compress(b"a.png,x\n"), [(None, "", "label_file_unknown")]),
    "a program": ("labels.exe", b"MZ\x90\x00" + bytes(1000), [(None, "", "label_file_unknown")]),
    "labels of another dataset": (
        "label.csv",
        b"".join(b"other_%d.png,x\n" % number for number in range(50)),
        [(row, "image", "label_image_unknown") for row in range(1, 51)],
    ),
    "sections that are no lists": ("c.json", coco(images={"id": 1}), [(None, "images", "label_file_invalid")]),
    "a file without images": ("c.json", coco(images=[]), [(1, "image_id", "label_image_unknown")]),
    "classes that are words": (
        "c.json",
        coco(categories=["x"]),
        [(1, "categories[1]", "label_row_invalid"), (1, "category_id", "label_row_invalid")],
    ),
    "a number that cannot be read": (
        "c.json",
        b'{"images":[{"id":%b}],"annotations":[]}' % NUMBER,
        [(None, "", "label_file_invalid")],
    ),
    "a picture of 10^3000 pixels": (
        "a.json",
        labelme(imageWidth=10**3000),
        [(None, "imageWidth", "label_size_differs")],
    ),
    "run lengths in lists": (
        "c.json",
        coco({"segmentation": {"size": [16, 20], "counts": [[1], [2, 3]]}}),
        [(1, "segmentation", "label_row_invalid")],
    ),
    "names by aliases": (
        "l.zip",
        zip_of([("labels/a.txt", b"0 0.5 0.5 0.2 0.2\n"), ("data.yaml", f"{ALIASES}names: [*j]\n".encode())]),
        [(None, "names", "label_row_invalid")],
    ),
    "a document that runs programs": (
        "l.zip",
        zip_of([("labels/a.txt", b"0 .5 .5 .2 .2\n"), ("data.yaml", b"names: !!python/object/apply:os.system [id]")]),
        [(None, "", "label_file_invalid")],
    ),
}


@pytest.mark.parametrize("what", READ)
def test_what_can_be_meant_is_read(what, dataset, labelled, looked_at):
    filename, content, annotations = READ[what]
    labelled(dataset, content, filename)
    for data in AnnotationData.objects.filter(dataset=dataset):
        assert list(data.label_import.problems.values_list("row", "message")) == []
        assert (data.status, data.annotation_count) == ("available", annotations)
        looked_at(data)


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_is_told(what, dataset, labelled, looked_at):
    filename, content, expected = REFUSED[what]
    data = labelled(dataset, content, filename)
    problems = list(data.label_import.problems.order_by("pk"))
    assert data.status == "import_failed"
    assert data.status_detail.endswith(".")
    assert [(problem.row, problem.column, problem.code) for problem in problems] == expected
    assert all(problem.message.endswith(".") and len(problem.message) < 500 for problem in problems)
    looked_at(data)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.image_count) == ("available", 4)


def test_shapes_that_are_none_cost_no_more_than_themselves(dataset, labelled, looked_at):
    labelled(dataset, labelme(SHAPE, 1, None, {"label": 5, "points": "x"}, SHAPE | {"shape_type": ["a"]}), "a.json")
    boxes = AnnotationData.objects.get(dataset=dataset, annotation_type="object_detection")
    assert boxes.annotation_count == 1
    assert [problem.row for problem in boxes.label_import.problems.order_by("row")] == [2, 3, 5]
    looked_at(boxes)


def test_there_can_be_too_many_classes(dataset, labelled, looked_at, monkeypatch):
    monkeypatch.setattr(rows, "MOST_LABELS", 3)
    data = labelled(dataset, b"".join(b"a.png,c%d,1,1,5,5\n" % number for number in range(5)))
    assert [(problem.row, problem.column) for problem in data.label_import.problems.all()] == [
        (4, "class"),
        (5, "class"),
    ]
    assert data.labels.count() == 3
    looked_at(data)


def test_what_was_wrong_with_attributes_is_mended_and_written_back(dataset, labelled):
    annotation = {"attributes": {"nan": float("nan"), "nul": "a\x00b", "kept": [1, 2.5, "ü", None, True]}}
    data = labelled(dataset, coco(annotation, info={"year": 2026, "x": float("nan")}), "c.json")
    written = json.loads(b"".join(export(data, file_format="coco").chunks))
    assert written["annotations"][0]["attributes"] == {
        "nan": None,
        "nul": "a\N{REPLACEMENT CHARACTER}b",
        "kept": [1, 2.5, "ü", None, True],
    }
    assert written["info"] == {"year": 2026, "x": None}
