"""Labels inside an uploaded zip: read before the dataset is published, and never in the way of its images."""

from __future__ import annotations

import pytest

from annotations.importing import work
from annotations.importing.images import images_of
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationDataStatus, LabelImport
from datasets.blobs.reconcile import reconcile
from datasets.blobs.store import get_store
from datasets.ingest import pipeline
from datasets.models import Dataset, DatasetStatus, Ingest, IngestStage, WriteIntent
from datasets.services.deletions import delete_dataset
from datasets.services.ingests import cancel_ingest
from deepcap.accounts.models import Notification
from deepcap.common.leases import WorkState
from tests.builders import png, zip_of
from tests.ingest.conftest import upload, work_on

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

IMAGES = [(f"image/{number}.png", png(number, width=40, height=30)) for number in range(6)]
SINGLE = b"".join(b"image/%d.png,%s\n" % (number, b"odd" if number % 2 else b"even") for number in range(6))
BOXES = b"image/0.png,nodule,1,2,10,8\nimage/0.png,cyst,3.5,4,5,6\nimage/1.png\n"


def of(dataset) -> dict[str, AnnotationData]:
    return {data.name: data for data in AnnotationData.objects.filter(dataset=dataset)}


def test_each_label_file_becomes_annotation_data_named_after_dataset_and_file(ingest, user):
    dataset = ingest([*IMAGES, ("label.csv", SINGLE), ("boxes.csv", BOXES)], "chest.zip")
    assert (dataset.status, dataset.annotation_data_count) == (DatasetStatus.AVAILABLE, 2)
    found = of(dataset)
    assert set(found) == {"chest_label", "chest_boxes"}
    label, boxes = found["chest_label"], found["chest_boxes"]
    assert (label.annotation_type, label.status) == ("single_label_classification", "available")
    assert (label.study_count, label.image_count, label.annotation_count) == (6, 6, 6)
    assert (boxes.annotation_type, boxes.image_count, boxes.annotation_count) == ("object_detection", 2, 2)
    assert [(one.name, one.color, one.image_count) for one in boxes.labels.all()] == [
        ("cyst", "#03a9f4", 1),
        ("nodule", "#00c853", 1),
    ]
    assert label.created_by == user and label.source_detail == {"name": "chest.zip"}
    assert label.statistics.numbers["totals"]["images"] == 6


def test_boxes_and_images_with_nothing_to_label_are_rows(ingest):
    dataset = ingest([*IMAGES, ("boxes.csv", BOXES)])
    listed = AnnotatedImage.objects.filter(annotation_data__dataset=dataset).order_by("position")
    assert [(item.image.path, item.annotation_count) for item in listed] == [("image/0.png", 2), ("image/1.png", 0)]
    box = Annotation.objects.get(item__annotation_data__dataset=dataset, label__name="cyst")
    assert (box.kind, box.x, box.y, box.width, box.height, box.area, box.frame) == ("b", 3.5, 4.0, 5.0, 6.0, 30.0, 0)


def test_files_that_became_labels_are_not_reported_as_left_out(ingest):
    dataset = ingest([*IMAGES, ("label.csv", SINGLE), ("README.txt", b"Hello."), ("paper.pdf", b"%PDF-1.7")])
    assert dataset.status == DatasetStatus.AVAILABLE
    assert set(dataset.problems.values_list("path", "code")) == {
        ("README.txt", "not_an_image"),
        ("paper.pdf", "not_an_image"),
    }
    assert dataset.ingest.skipped == 2


def test_a_bad_label_file_fails_its_own_annotation_data_and_nothing_else(ingest, user):
    bad = b"image/0.png,a\nimage/9.png,a\nimage/1.png,\nimage/2.png,b,c,d\n"
    dataset = ingest([*IMAGES, ("label.csv", SINGLE), ("bad.csv", bad)], "set.zip")
    assert (dataset.status, dataset.ingest.rejected) == (DatasetStatus.AVAILABLE, 0)
    failed = of(dataset)["set_bad"]
    assert (failed.status, failed.status_detail) == ("import_failed", "3 rows could not be used.")
    assert (failed.image_count, failed.annotation_count) == (1, 1)
    assert of(dataset)["set_label"].status == AnnotationDataStatus.AVAILABLE
    done = failed.label_import
    assert [(problem.row, problem.code) for problem in done.problems.all()] == [
        (2, "label_image_unknown"),
        (3, "label_row_invalid"),
        (4, "label_row_invalid"),
    ]
    assert done.problem_count == 3
    assert done.problems_by_code == {"label_image_unknown": 1, "label_row_invalid": 2}
    kinds = Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["annotation_data.import_failed", "dataset.available"]


def test_the_dataset_is_not_available_before_its_labels_are_in(user, monkeypatch):
    dataset = upload(user, zip_of([*IMAGES, ("label.csv", SINGLE)]))
    seen = []

    def watched(pk, **options):
        seen.append((Dataset.objects.get(pk=dataset.pk).status, Ingest.objects.get(dataset=dataset).stage))
        return work.run(pk, **options)

    monkeypatch.setattr("annotations.importing.upload.run", watched)
    work_on(dataset)
    assert seen == [(DatasetStatus.PREPARING, IngestStage.LABELLING)]
    assert dataset.status == DatasetStatus.AVAILABLE


def test_label_files_move_into_the_vault_and_nothing_else_stays(ingest, store):
    dataset = ingest([*IMAGES, ("label.csv", SINGLE)])
    blob = LabelImport.objects.get(dataset=dataset).blob
    assert get_store().size(blob.original_key) == blob.size > 0
    assert not WriteIntent.objects.exists()
    assert [problem for problem in reconcile() if "uploads/" not in str(problem)] == []


def test_rejected_images_leave_the_labels_of_the_others(ingest):
    dataset = ingest([*IMAGES[1:], ("image/0.png", IMAGES[0][1][:50]), ("label.csv", SINGLE)])
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    data = AnnotationData.objects.get(dataset=dataset)
    assert (data.status, data.image_count) == ("import_failed", 5)
    assert [problem.row for problem in data.label_import.problems.all()] == [1]


def test_a_cancelled_upload_gets_no_labels(user):
    dataset = upload(user, zip_of([*IMAGES, ("label.csv", SINGLE)]))
    pipeline.advance(dataset.ingest.pk)
    cancel_ingest(dataset=dataset, by=user)
    work_on(dataset)
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert not AnnotationData.objects.exists()


def test_reading_labels_again_changes_nothing(user):
    """As after a worker that died between the last import and publishing."""
    dataset = upload(user, zip_of([*IMAGES, ("label.csv", SINGLE), ("boxes.csv", BOXES)]))

    def dies(ingest):
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(pipeline, "publish", dies)
        work_on(dataset)
    before = list(AnnotationData.objects.order_by("pk").values()), Annotation.objects.count()
    Ingest.objects.update(state=WorkState.PENDING, lease_token=None)
    work_on(dataset)
    assert dataset.status == DatasetStatus.AVAILABLE
    assert (list(AnnotationData.objects.order_by("pk").values()), Annotation.objects.count()) == before


def test_a_search_for_labels_that_ends_every_worker_costs_the_labels_not_the_images(user):
    dataset = upload(user, zip_of([*IMAGES, ("label.csv", SINGLE)]))
    pk = Ingest.objects.get(dataset=dataset).pk
    work_on(dataset, turns=2)
    Ingest.objects.filter(pk=pk).update(stage=IngestStage.LABELLING, attempts=pipeline.MAX_ATTEMPTS)
    pipeline.advance(pk)
    dataset.refresh_from_db()
    assert dataset.image_count == 6
    assert "labels_unread" in dataset.problems.values_list("code", flat=True)
    assert not AnnotationData.objects.exists()


def test_deleting_the_dataset_while_its_labels_are_read_stops_the_reading(user, monkeypatch):
    dataset = upload(user, zip_of([*IMAGES, ("label.csv", SINGLE)]))

    def deleting(dataset_id):
        delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
        return images_of(dataset_id)

    monkeypatch.setattr("annotations.importing.upload.images_of", deleting)
    work_on(dataset)
    assert dataset.status == DatasetStatus.DELETING
    assert not Annotation.objects.exists()


def test_a_label_file_that_is_an_archive_in_disguise_is_left_out(ingest):
    dataset = ingest([*IMAGES, ("label.csv", zip_of([("a.csv", SINGLE)])), ("right.csv", SINGLE)], "set.zip")
    assert dataset.status == DatasetStatus.AVAILABLE
    assert {name: data.status for name, data in of(dataset).items()} == {"set_right": "available"}
    assert [(problem.path, problem.outcome, problem.code) for problem in dataset.problems.all()] == [
        ("label.csv", "skipped", "nested_archive")
    ]
