"""What becomes of an upload: each file an image, or a row of the report that says why not."""

import hashlib

import pytest
from PIL import Image as PillowImage

from datasets.blobs.store import get_store
from datasets.models import (
    Dataset,
    DatasetStatus,
    Image,
    Ingest,
    IngestBatch,
    StorageRemoval,
    Study,
    Upload,
    UploadState,
)
from deepcap.accounts.models import Notification
from tests.builders import png, zip_of

from .conftest import SAMPLES

GOOD = [(f"image/{number}.png", png(number)) for number in (1, 2, 10)]


def report(dataset):
    return {problem.path: (problem.outcome, problem.code) for problem in dataset.problems.all()}


def test_a_zip_of_images_becomes_an_available_dataset(ingest, user):
    dataset = ingest(GOOD)
    assert dataset.status == DatasetStatus.AVAILABLE
    assert (dataset.study_count, dataset.image_count, dataset.image_format) == (3, 3, "JPG/PNG")
    assert dataset.size_bytes == sum(len(data) for _, data in GOOD)
    assert [study.name for study in dataset.studies.order_by("position")] == [path for path, _ in GOOD]
    assert dataset.covers == list(dataset.studies.order_by("position").values_list("cover", flat=True))
    assert Notification.objects.filter(user=user, kind="dataset.available").count() == 1


def test_bytes_and_thumbnail_of_every_image_are_in_the_vault(ingest):
    dataset = ingest(GOOD)
    for image in dataset.images.select_related("blob"):
        data = get_store().read(image.blob.original_key)
        assert data == dict(GOOD)[image.path]
        assert hashlib.sha256(data).hexdigest() == image.blob.digest
        assert get_store().read(image.blob.thumbnail_key).startswith(b"\xff\xd8")


def test_the_uploaded_file_goes_once_its_images_are_published(ingest):
    ingest(GOOD)
    assert Upload.objects.get().state == UploadState.INGESTED
    assert [removal.prefix.startswith("uploads/") for removal in StorageRemoval.objects.all()] == [True]


def test_a_bad_file_fails_the_dataset_and_keeps_the_rest(ingest, user):
    dataset = ingest([*GOOD, ("image/broken.png", GOOD[0][1][:40]), ("notes.txt", b"hello"), ("scan.tif", b"II*\0")])
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert dataset.image_count == 3
    assert report(dataset) == {
        "image/broken.png": ("rejected", "image_corrupt"),
        "notes.txt": ("skipped", "not_an_image"),
        "scan.tif": ("rejected", "format_unsupported"),
    }
    assert dataset.status_detail == "2 files could not be used."
    assert (dataset.ingest.accepted, dataset.ingest.rejected, dataset.ingest.skipped) == (3, 2, 1)


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"this is text", "text.zip", "zip_invalid"),
        (zip_of(GOOD)[:-40], "cut.zip", "zip_damaged"),
        (b"not an image at all", "photo.jpg", "format_unsupported"),
    ],
)
def test_an_upload_that_is_no_archive_or_image_says_so(ingest, data, filename, code):
    dataset = ingest(data, filename)
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 0)
    assert [problem.code for problem in dataset.problems.all()] == [code]
    assert dataset.status_detail == dataset.problems.get().message
    assert not Image.objects.exists() and not Study.objects.exists()


def test_an_empty_label_file_and_a_document_that_is_a_zip_inside_do_not_fail_the_images(ingest):
    dataset = ingest([*GOOD, ("label.csv", b""), ("notes.xlsx", zip_of([("sheet.xml", b"<x/>")]))])
    assert dataset.status == DatasetStatus.AVAILABLE
    assert set(report(dataset).values()) == {("skipped", "not_an_image")}


@pytest.mark.parametrize("members", [[], [("folder/", b"")], [("readme.md", b"nothing here")]])
def test_a_zip_without_images_fails(ingest, members):
    dataset = ingest(members)
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert dataset.status_detail == "There are no images in it."


def test_a_single_image_is_a_dataset(ingest):
    dataset = ingest(png(7), "slice 7.png")
    assert dataset.status == DatasetStatus.AVAILABLE
    assert dataset.name == "slice 7"
    assert dataset.images.get().path == "slice 7.png"


def test_the_same_bytes_twice_are_two_images_and_one_blob(ingest):
    dataset = ingest([("a/x.png", png(1)), ("b/x.png", png(1)), ("b/y.png", png(2))])
    images = {image.path: image for image in dataset.images.all()}
    assert images["a/x.png"].blob_id == images["b/x.png"].blob_id != images["b/y.png"].blob_id
    assert [images[path].duplicate for path in sorted(images)] == ["bytes", "bytes", ""]
    assert dataset.size_bytes == len(png(1)) + len(png(2))


def test_a_second_upload_of_the_same_images_writes_no_bytes_again(ingest):
    first = ingest(GOOD)
    objects = set(get_store().keys("blobs/"))
    second = ingest(GOOD)
    assert set(get_store().keys("blobs/")) == objects
    assert second.name == "set (2)"
    assert list(first.images.order_by("path").values_list("blob", flat=True)) == list(
        second.images.order_by("path").values_list("blob", flat=True)
    )


def test_dicom_images_of_a_study_are_one_study_in_slice_order(ingest):
    dataset = ingest((SAMPLES / "CT head phantom.zip").read_bytes(), "CT.zip")
    assert (dataset.study_count, dataset.image_count, dataset.image_format) == (1, 20, "DICOM")
    study = dataset.studies.get()
    assert (study.modality, study.image_count) == ("CT", 20)
    places = list(study.images.order_by("position").values_list("slice_position", flat=True))
    assert places == sorted(places) and len(set(places)) == 20
    assert [image.position for image in study.images.order_by("position")] == list(range(20))
    assert study.cover == study.images.get(position=10)


def test_a_segmentation_is_no_image_and_as_labels_no_problem(ingest):
    dataset = ingest((SAMPLES / "Liver CT.zip").read_bytes(), "liver.zip")
    assert (dataset.status, dataset.image_count, dataset.annotation_data_count) == (DatasetStatus.AVAILABLE, 3, 1)
    assert report(dataset) == {} and dataset.ingest.skipped == 0


def test_a_segmentation_is_skipped_with_its_reason_where_nobody_reads_labels(ingest, monkeypatch):
    monkeypatch.setattr("datasets.hooks.label_readers", [])
    dataset = ingest((SAMPLES / "Liver CT.zip").read_bytes(), "liver.zip")
    assert dataset.status == DatasetStatus.AVAILABLE
    assert report(dataset) == {"seg/liver.dcm": ("skipped", "dicom_segmentation")}


def test_an_exif_rotated_photo_has_the_size_it_is_shown_at(ingest, tmp_path):
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to display
    PillowImage.new("RGB", (40, 20), "red").save(tmp_path / "photo.jpg", exif=exif)
    image = ingest([("photo.jpg", (tmp_path / "photo.jpg").read_bytes())]).images.get()
    assert (image.width, image.height) == (20, 40)


def test_running_every_stage_again_changes_nothing(ingest):
    dataset = ingest([*GOOD, ("bad.jpg", b"\xff\xd8\xff\xe0 cut")])
    before = (list(Image.objects.values()), list(Study.objects.values()), list(Dataset.objects.values()))
    from datasets.ingest import pipeline

    pk = Ingest.objects.get(dataset=dataset).pk
    pipeline.advance(pk)
    pipeline.read_next(pk)
    assert (list(Image.objects.values()), list(Study.objects.values()), list(Dataset.objects.values())) == before
    assert set(IngestBatch.objects.values_list("state", flat=True)) == {"done"}
