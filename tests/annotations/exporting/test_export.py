"""Exports are read again: what came in goes out, and what went out comes in."""

import csv
import io
import json
import zipfile
from collections import Counter

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.errors import ExportRefused
from annotations.exporting import export, formats_for
from annotations.exporting import items as items_module
from annotations.exporting.export import safe_path
from annotations.exporting.items import Vanished
from annotations.formats.registry import FORMATS
from annotations.importing.work import run as import_now
from annotations.models import Annotation, AnnotationData, AnnotationType
from annotations.services.exports import export_annotation_data
from annotations.services.imports import import_labels
from datasets.errors import WrongState
from datasets.models import Image
from deepcap.accounts.models import AuditEvent
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset
from tests.ingest.conftest import upload, work_on

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

LABELS = ("a", "b", "c")
CONTRACT = ("csv", "coco", "labelme", "voc", "yolo", "dicom-seg", "nifti", "png-masks")


@pytest.fixture(autouse=True)
def _messages_go_nowhere(monkeypatch):
    for name in ("advance_ingest", "read_batch", "run_deletion"):
        monkeypatch.setattr(f"datasets.tasks.{name}.delay", lambda *_: None)
        monkeypatch.setattr(f"datasets.tasks.{name}.delay_on_commit", lambda *_: None)


def taken(data, file_format, **options):
    return b"".join(export(data, file_format=file_format, **options).chunks)


def said(data):
    """Return what is said of each listed image, by path, as far as any format can say it."""
    rows = {item.image.path: [] for item in data.listed.select_related("image")}
    for row in Annotation.objects.filter(item__annotation_data=data).select_related("label", "item__image"):
        box = None if row.kind != "b" else tuple(round(side, 3) for side in (row.x, row.y, row.width, row.height))
        rows[row.item.image.path].append((row.label.name, row.value, box, row.counts))
    return {path: Counter(each) for path, each in rows.items()}


def test_boxes_as_csv_are_the_rows_that_came_in(user):
    dataset = make_dataset(user, studies=2, images=2)
    one, _, three, _ = Image.objects.filter(dataset=dataset).order_by("study__position", "position")
    rows = {one: [Row("b", box=(1, 2, 3, 4)), Row("a", box=(0.5, 0, 2, 2))], three: []}
    data = make_annotation_data(dataset, AnnotationType.DETECTION, LABELS, rows, name="Boxes")
    made = export(data, file_format="csv")
    assert (made.filename, made.content_type) == ("Boxes.csv", "text/csv; charset=utf-8")
    assert list(csv.reader(io.StringIO(b"".join(made.chunks).decode()))) == [
        [one.path, "b", "1", "2", "3", "4"],
        [one.path, "a", "0.5", "0", "2", "2"],
        [three.path],
    ]


def test_a_zip_holds_the_images_as_they_were_uploaded_and_only_those_listed(user, store):
    dataset = make_dataset(user, studies=2, images=2)
    images = list(Image.objects.filter(dataset=dataset).order_by("study__position", "position"))
    data = make_annotation_data(
        dataset, AnnotationType.DETECTION, LABELS, {image: [] for image in images[:3]}, name="x"
    )
    made = export(data, file_format="coco", include_images=True)
    assert (made.filename, made.content_type) == ("x-coco.zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(made.chunks))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["label.json", *(image.path for image in images[:3])]
        for image in images[:3]:
            assert archive.read(image.path) == store.read(image.blob.original_key)
        assert len(json.loads(archive.read("label.json"))["images"]) == 3


@pytest.mark.parametrize("annotation_type", list(AnnotationType))
def test_every_format_offered_for_a_type_writes_it_and_every_other_is_refused(user, annotation_type):
    dataset = make_dataset(user, studies=2, images=1)
    data = make_annotation_data(dataset, annotation_type, LABELS)
    offered = dict(formats_for(annotation_type))
    assert "csv" in offered
    for form in FORMATS:
        if form.key in offered:
            assert taken(data, form.key)
        else:
            with pytest.raises(ExportRefused) as refusal:
                export(data, file_format=form.key)
            assert refusal.value.code == "wrong_type"
    with pytest.raises(ExportRefused) as refusal:
        export(data, file_format="docx")
    assert refusal.value.code == "unknown_format"


@pytest.mark.parametrize("annotation_type", list(AnnotationType))
def test_statements_do_not_grow_with_images_or_annotations_within_a_page(user, annotation_type):
    numbers = []
    for images in (2, 12):
        data = make_annotation_data(make_dataset(user, studies=images, images=1), annotation_type, LABELS)
        with CaptureQueriesContext(connection) as queries:
            taken(data, "csv", include_images=True)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 10


def test_pages_and_groups_follow_each_other_without_gaps(user, monkeypatch):
    data = make_annotation_data(make_dataset(user, studies=7, images=1), AnnotationType.DETECTION, LABELS)
    whole = taken(data, "csv")
    monkeypatch.setattr(items_module, "IMAGES_PER_QUERY", 3)
    monkeypatch.setattr(items_module, "ANNOTATIONS_PER_QUERY", 2)
    assert taken(data, "csv") == whole


def test_rows_that_go_away_meanwhile_do_not_leave_a_file_that_looks_whole(user):
    data = make_annotation_data(make_dataset(user, studies=3, images=1), AnnotationType.DETECTION, LABELS)
    chunks = export(data, file_format="csv").chunks
    data.listed.first().delete()
    with pytest.raises(Vanished):
        b"".join(chunks)


def test_paths_stay_inside_the_folder_they_are_unpacked_into():
    assert safe_path("../../etc/passwd") == "etc/passwd"
    assert safe_path("/etc/passwd") == "etc/passwd"
    assert safe_path("C:\\Windows\\a.png") == "C/Windows/a.png"
    assert safe_path("a/./b//c.png") == "a/b/c.png"
    assert safe_path("..") == "_"


def test_who_took_it_is_recorded_and_what_is_being_made_cannot_be_taken(user):
    data = make_annotation_data(make_dataset(user, studies=1), AnnotationType.DETECTION, LABELS)
    export_annotation_data(annotation_data=data, by=user, file_format="csv")
    event = AuditEvent.objects.get(action="annotation_data.exported")
    assert (event.actor, event.details["file_format"]) == (user, "csv")
    data.status = "importing"
    with pytest.raises(WrongState):
        export_annotation_data(annotation_data=data, by=user, file_format="csv")


ROUND_TRIPS = [
    ("label_single_mednist.zip", "csv"),
    ("label_multi_bccd.zip", "csv"),
    ("label_detection_bccd.zip", "csv"),
    ("label_detection_float_bccd.zip", "csv"),
    *(("coco_bccd.zip", key) for key in ("csv", "coco", "voc", "yolo", "labelme")),
    ("coco_segmentation_ct_liver.zip", "coco"),
    ("dicom_series_seg_ct_liver.zip", "csv"),
    ("dicom_series_seg_ct_liver.zip", "dicom-seg"),
]


@pytest.mark.parametrize(("name", "file_format"), ROUND_TRIPS)
def test_a_real_dataset_exported_with_its_images_comes_in_again_as_it_was(name, file_format, user, shared_data):
    data = AnnotationData.objects.get(dataset=taken_in(user, (shared_data / "zips" / name).read_bytes()))
    assert data.status == "available"
    again = taken_in(user, taken(data, file_format, include_images=True))
    assert again.image_count == data.image_count
    copy = AnnotationData.objects.get(dataset=again, annotation_type=data.annotation_type)
    assert (copy.status, copy.status_detail) == ("available", "")
    assert said(copy) == said(data)


@pytest.mark.parametrize("file_format", ["nifti", "png-masks", "csv"])
def test_masks_that_are_files_of_their_own_come_back_to_the_images_they_were_taken_from(file_format, user, shared_data):
    dataset = taken_in(user, (shared_data / "zips" / "coco_segmentation_ct_liver.zip").read_bytes())
    data = AnnotationData.objects.get(dataset=dataset)
    made = export(data, file_format=file_format)
    file = ContentFile(b"".join(made.chunks), name=made.filename)
    copy = import_labels(dataset=dataset, by=user, file=file, filename=made.filename, file_format=file_format)
    import_now(copy.label_import.pk)
    assert list(copy.label_import.problems.values_list("path", "code", "message")) == []
    copy.refresh_from_db()
    assert (copy.status, copy.status_detail) == ("available", "")
    assert said(copy) == said(data)


def taken_in(user, content):
    return work_on(upload(user, content))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own, with NumPy 2
@pytest.mark.parametrize("name", ["coco_bccd.zip", "coco_segmentation_ct_liver.zip"])
def test_coco_out_is_coco_in_by_pycocotools(name, user, shared_data, tmp_path):
    content = (shared_data / "zips" / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = next(path for path in archive.namelist() if path.endswith(".json"))
        before = coco(archive.read(member), tmp_path)
    data = AnnotationData.objects.get(dataset=taken_in(user, content))
    after = coco(taken(data, "coco"), tmp_path)
    assert after.dataset["info"] == before.dataset.get("info", {})
    assert after.dataset["licenses"] == before.dataset.get("licenses", [])
    assert sorted(after.cats.items()) == sorted(before.cats.items())
    assert {key: size_of(image) for key, image in after.imgs.items()} == {
        key: size_of(image) for key, image in before.imgs.items()
    }
    assert set(after.anns) == set(before.anns)
    for key, annotation in before.anns.items():
        made = after.anns[key]
        for field in ("image_id", "category_id", "bbox", "area", "iscrowd"):
            assert made[field] == pytest.approx(annotation[field]), field
        if annotation["segmentation"]:
            assert (after.annToMask(made) == before.annToMask(annotation)).all()


def coco(content, folder):
    from pycocotools.coco import COCO

    path = folder / "labels.json"
    path.write_bytes(content)
    return COCO(str(path))


def size_of(image):
    return (image["file_name"].rpartition("/")[2], image["width"], image["height"])


def test_a_segmentation_object_belongs_to_the_patient_and_study_of_its_images(user, shared_data):
    from pydicom import dcmread

    name = "dicom_series_seg_ct_liver.zip"
    data = AnnotationData.objects.get(dataset=taken_in(user, (shared_data / "zips" / name).read_bytes()))
    with zipfile.ZipFile(io.BytesIO(taken(data, "dicom-seg", include_images=True))) as archive:
        objects = [dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    made, *images = sorted(objects, key=lambda each: each.Modality != "SEG")
    assert [each.Modality for each in objects].count("SEG") == 1
    for image in images:
        for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
            assert made[keyword].value == image[keyword].value, keyword
    referenced = made.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == images[0].SeriesInstanceUID
    assert {each.ReferencedSOPClassUID for each in referenced.ReferencedInstanceSequence} == {images[0].SOPClassUID}
