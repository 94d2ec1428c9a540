"""Photographs that are shown turned (EXIF orientation): labels lie where they are seen, from the file to the file."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image as Picture
from PIL import ImageOps

from annotations.exporting import export
from annotations.formats import Mask
from annotations.formats.bits import encode_bits
from annotations.formats.masks import Mask as Runs
from annotations.models import Annotation, AnnotationData
from datasets.models import Image

pytestmark = pytest.mark.django_db

STORED = (48, 32)  # width and height of the picture in the file
BOX = (8, 4, 16, 8)  # of what is bright in it
ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)


def photograph(orientation: int) -> bytes:
    picture = Picture.new("L", STORED)
    x, y, width, height = BOX
    picture.paste(255, (x, y, x + width, y + height))
    exif = Picture.Exif()
    exif[ORIENTATION] = orientation
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=100, exif=exif)
    return content.getvalue()


def seen(orientation: int) -> tuple[tuple[int, int], list[int]]:
    """Return the size of the picture as Pillow shows it, and the box around what is bright there."""
    with Picture.open(io.BytesIO(photograph(orientation))) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture)) > 127
    return shown.shape[::-1], box_of(shown)


def box_of(pixels) -> list[int]:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return [int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]


def corners() -> tuple[int, int, int, int]:
    x, y, width, height = BOX
    return x, y, x + width, y + height


def stored_mask() -> Runs:
    pixels = np.zeros(STORED[::-1], bool)
    x, y, x2, y2 = corners()
    pixels[y:y2, x:x2] = True
    return Mask.from_array(pixels)


def coco() -> bytes:
    """A box and two masks, an outline and run lengths, on the picture as it is stored."""
    x, y, x2, y2 = corners()
    outline = [[x, y, x2, y, x2, y2, x, y2]]
    mask = stored_mask()
    said = {"image_id": 1, "category_id": 1, "bbox": list(BOX)}
    document = {
        "images": [{"id": 1, "file_name": "photo.jpg", "width": STORED[0], "height": STORED[1]}],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [
            {"id": 1, **said},
            {"id": 2, **said, "segmentation": outline},
            {"id": 3, **said, "segmentation": mask.to_coco()},
        ],
    }
    return json.dumps(document).encode()


def labelme() -> bytes:
    x, y, x2, y2 = corners()
    shapes = [
        {"label": "x", "shape_type": "rectangle", "points": [[x, y], [x2, y2]]},
        {"label": "x", "shape_type": "polygon", "points": [[x, y], [x2, y], [x2, y2], [x, y2]]},
    ]
    document = {"shapes": shapes, "imagePath": "photo.jpg", "imageWidth": STORED[0], "imageHeight": STORED[1]}
    return json.dumps(document).encode()


def voc() -> bytes:
    box = "".join(
        f"<{name}>{value}</{name}>" for name, value in zip(("xmin", "ymin", "xmax", "ymax"), corners(), strict=True)
    )
    size = f"<size><width>{STORED[0]}</width><height>{STORED[1]}</height></size>"
    thing = f"<object><name>x</name><bndbox>{box}</bndbox></object>"
    return f"<annotation><filename>photo.jpg</filename>{size}{thing}</annotation>".encode()


def csv_of_masks() -> bytes:
    return f"photo.jpg,x,{STORED[0]},{STORED[1]},{encode_bits(stored_mask())}\n".encode()


def files(orientation: int) -> list[tuple[str, bytes]]:
    return [
        ("photo.jpg", photograph(orientation)),
        ("photo.json", labelme()),
        ("photo.xml", voc()),
        ("instances.json", coco()),
        ("masks.csv", csv_of_masks()),
    ]


def said_of(data: AnnotationData) -> list[list[float]]:
    return [[row.x, row.y, row.width, row.height] for row in Annotation.objects.filter(item__annotation_data=data)]


@pytest.mark.parametrize("orientation", TURNED)
def test_labels_of_the_stored_picture_turn_with_it(ingest, orientation, client, user):
    (width, height), box = seen(orientation)
    dataset = ingest(files(orientation))
    image = Image.objects.get(dataset=dataset)
    assert (image.width, image.height) == (width, height) == STORED[::-1]
    made = placed(dataset)
    assert {(data.status, data.annotation_type) for data in made} == {
        ("available", "object_detection"),
        ("available", "image_segmentation"),
    }
    assert len(made) == 6  # LabelMe and COCO: boxes and masks; VOC: boxes; CSV: masks
    client.force_login(user)
    for data in made:
        assert all(said == box for said in said_of(data)), data.name
        for mask in Annotation.objects.filter(item__annotation_data=data, kind="s"):
            assert box_of(Mask(height, width, mask.counts).decode()) == box, data.name

        if data.annotation_type == "image_segmentation":
            drawn = client.get(f"/annotation-data/{data.pk}/images/{image.pk}/overlay.png")
            with Picture.open(io.BytesIO(drawn.content)) as overlay:
                assert overlay.size == (width, height)
                assert box_of(np.asarray(overlay)[..., 3] > 0) == box
        else:
            page = client.get(data.get_absolute_url()).content.decode()
            x, y, across, down = map(float, box)
            assert f'viewBox="0 0 {width} {height}"' in page
            assert f'<rect x="{x}" y="{y}" width="{across}" height="{down}"' in page

        in_viewer = client.get(f"/viewer/studies/{image.study_id}/annotations/?annotation_data={data.pk}").json()
        for said in in_viewer["images"][str(image.pk)]:
            assert said["bbox"] == box
            assert said.get("segmentation", {"size": [height, width]})["size"] == [height, width]


@pytest.mark.parametrize("key", ["coco", "labelme", "voc", "yolo", "csv"])
def test_they_go_out_for_the_picture_as_it_is_shown_and_come_back_alike(ingest, labelled, key):
    size, box = seen(6)
    dataset = ingest([*files(6)[:1], *files(6)[3:4]])
    for data in placed(dataset):
        if key == "voc" and data.annotation_type == "image_segmentation":
            continue
        content = b"".join(export(data, file_format=key).chunks)
        assert sizes_in(key, content) <= {size}
        known = set(AnnotationData.objects.values_list("pk", flat=True))
        labelled(dataset, content, {"coco": "again.json", "csv": "again.csv"}.get(key, "again.zip"))
        again = [one for one in placed(dataset) if one.pk not in known]
        assert [one.status for one in again] == ["available"]
        assert all(said == box for said in said_of(again[0]))


def placed(dataset) -> list[AnnotationData]:
    return list(AnnotationData.objects.filter(dataset=dataset).exclude(annotation_type="multi_label_classification"))


def sizes_in(key: str, content: bytes) -> set[tuple[int, int]]:
    """Return the sizes that an export states of its images."""
    if key == "coco":
        return {(image["width"], image["height"]) for image in json.loads(content)["images"]}
    if key == "labelme":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            documents = [json.loads(archive.read(name)) for name in archive.namelist()]
        return {(each["imageWidth"], each["imageHeight"]) for each in documents}
    return set()


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_picture_that_keeps_its_size_is_labelled_as_it_is_shown(ingest, orientation):
    """Mirrored or upside down, nothing tells which of the two a label file means: the picture that people see."""
    dataset = ingest([("photo.jpg", photograph(orientation)), ("photo.xml", voc())])
    data = AnnotationData.objects.get(dataset=dataset)
    assert said_of(data) == [list(map(float, BOX))]
