"""Exports of splits: every part by itself, and all of them where the users of a format look for parts."""

import csv
import io
import json
import zipfile

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.exporting import export, formats_for
from annotations.exporting.items import Vanished
from annotations.exporting.parts import folders_of
from annotations.importing.work import run as import_now
from annotations.models import AnnotationType, LabelImport
from annotations.services.exports import export_annotation_data
from annotations.services.split_plans import Wish
from annotations.services.splits import create_split
from datasets.errors import ValueRefused
from datasets.models import Image
from deepcap.accounts.models import AuditEvent
from tests.annotations.builders import make_annotation_data
from tests.annotations.combine.world import dataset_of
from tests.ingest.conftest import upload, work_on

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

SHARES = {"train": 6, "validation": 2, "test": 2}


@pytest.fixture(autouse=True)
def _messages_go_nowhere(monkeypatch):
    for name in ("advance_ingest", "read_batch", "run_deletion"):
        monkeypatch.setattr(f"datasets.tasks.{name}.delay", lambda *_: None)
        monkeypatch.setattr(f"datasets.tasks.{name}.delay_on_commit", lambda *_: None)


@pytest.fixture
def make(user):
    def make(annotation_type=AnnotationType.DETECTION, size=10, folder="in/"):
        dataset = dataset_of(user, f"Chest {size}", range(size), folder=folder)
        data = make_annotation_data(dataset, annotation_type, ("a", "b"), name="Boxes")
        return data, create_split(annotation_data=data, by=user, name="one", wish=Wish(SHARES, seed=1))

    return make


def paths_of(split, place):
    members = split.members.filter(part=place).values("study")
    return set(Image.objects.filter(study__in=members).values_list("path", flat=True))


def unzipped(data, split, file_format, **options):
    made = export(data, file_format=file_format, split=split, **options)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(made.chunks)))
    assert archive.testzip() is None
    return archive


def test_a_part_is_exported_as_if_it_were_the_whole(make, user):
    data, split = make()
    seen = set()
    for place, name in enumerate(SHARES):
        made = export_annotation_data(annotation_data=data, by=user, file_format="csv", split=split, part=name)
        assert made.filename == f"Boxes-{name}.csv"
        paths = {row[0] for row in csv.reader(io.StringIO(b"".join(made.chunks).decode()))}
        assert paths == paths_of(split, place)
        assert not paths & seen
        seen |= paths
    assert len(seen) == 10
    assert AuditEvent.objects.filter(details__split=split.pk, details__part="test").count() == 1
    with pytest.raises(ValueRefused) as refused:
        export_annotation_data(annotation_data=data, by=user, file_format="csv", split=split, part="holdout")
    assert refused.value.code == "part_unknown"


def test_yolo_has_its_parts_below_images_and_labels(make):
    data, split = make()
    archive = unzipped(data, split, "yolo", include_images=True)
    names = set(archive.namelist())
    settings = yaml.safe_load(archive.read("data.yaml"))
    assert settings == {
        "path": ".",
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "names": {0: "a", 1: "b"},
    }
    for place, folder in enumerate(("train", "val", "test")):
        paths = paths_of(split, place)
        assert {name for name in names if name.startswith(f"images/{folder}/")} == {
            f"images/{folder}/{path}" for path in paths
        }
        for path in paths:  # where its loaders look: the last "images" is exchanged, and the extension
            assert f"labels/{folder}/{path.removesuffix('.png')}.txt" in names
    assert len(names) == 1 + 2 * 10


def test_coco_has_a_document_a_part_and_images_in_its_folder(make):
    data, split = make()
    archive = unzipped(data, split, "coco", include_images=True)
    for place, folder in enumerate(("train", "val", "test")):
        document = json.loads(archive.read(f"annotations/instances_{folder}.json"))
        assert {image["file_name"] for image in document["images"]} == paths_of(split, place)
        assert all(f"{folder}/{image['file_name']}" in archive.namelist() for image in document["images"])
        assert len(document["annotations"]) == len(document["images"])


@pytest.mark.parametrize("annotation_type", list(AnnotationType))
def test_every_format_keeps_every_image_in_one_part(make, annotation_type):
    data, split = make(annotation_type)
    for file_format, _title in formats_for(annotation_type):
        names = unzipped(data, split, file_format, include_images=True).namelist()
        assert len(names) == len(set(names))
        pictures = [name for name in names if "/in/" in name and not name.startswith(("labels/", "masks"))]
        for path in Image.objects.filter(dataset=data.dataset).values_list("path", flat=True):
            assert sum(name.endswith(f"/{path}") for name in pictures) >= 1, (file_format, path)
        assert names == [name for name in names if name.split("/")[0] in TOPS], file_format


TOPS = ("train", "val", "test", "images", "labels", "annotations", "data.yaml")


@pytest.mark.parametrize("file_format", ["yolo", "coco", "voc"])
def test_an_export_in_parts_comes_in_again(make, user, file_format):
    data, split = make(folder="")
    whole = b"".join(export(data, file_format=file_format, split=split, include_images=True).chunks)
    again = upload(user, whole, filename="again.zip")
    work_on(again)
    for pk in LabelImport.objects.filter(dataset=again).values_list("pk", flat=True):
        for further in import_now(pk):
            import_now(further)
    again.refresh_from_db()
    assert (again.status, again.image_count) == ("available", 10)
    made = again.annotation_data.all()
    assert sum(each.image_count for each in made) == 10
    assert sum(each.annotation_count for each in made) == 10


def test_statements_do_not_grow_with_images(make):
    numbers = []
    for size in (10, 40):
        data, split = make(size=size)
        with CaptureQueriesContext(connection) as queries:
            unzipped(data, split, "yolo", include_images=True)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1]


def test_a_split_that_goes_meanwhile_breaks_the_export_off(make):
    data, split = make()
    split.members.filter(part=2).delete()
    with pytest.raises(Vanished):
        unzipped(data, split, "csv")


def test_folders_are_called_what_parts_mean_and_never_the_same():
    assert folders_of(["Train", "Validation", "Test"]) == ["train", "val", "test"]
    assert folders_of(["valid", "validation", "val"]) == ["valid", "validation", "val"]
    assert folders_of(["fold 1", "fold 2"]) == ["fold 1", "fold 2"]
