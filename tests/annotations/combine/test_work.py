"""Datasets made of datasets, against the same worked out by hand."""

import hashlib
from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from annotations import tasks
from annotations.combine import work as combine_work
from annotations.models import Annotation, AnnotationDataStatus, AnnotationType, Combination
from annotations.services.combinations import Wanted, combine_datasets, recipe_of
from annotations.statistics import recount_all as recount_annotations
from datasets.deletion import run as run_deletion
from datasets.errors import WrongState
from datasets.ingest.publish import counts_of
from datasets.ingest.recount import recount_all
from datasets.models import Blob, Dataset, DatasetStatus, Series, Study
from datasets.services.deletions import delete_dataset
from datasets.services.ingests import cancel_ingest, keep_accepted
from datasets.services.progress import progress_of, with_progress
from deepcap.accounts.models import Notification
from deepcap.common.leases import WorkState
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset, make_image, png

from .world import dataset_of, images_of, made, said, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

MULTI = AnnotationType.MULTI_LABEL
BOXES, MASKS = AnnotationType.DETECTION, AnnotationType.SEGMENTATION


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    for name, size in (("IMAGES_PER_PIECE", 3), ("LISTED_PER_PIECE", 2), ("ANNOTATIONS_PER_PIECE", 3)):
        monkeypatch.setattr(combine_work, name, size)


def test_the_result_has_the_studies_of_all_sources_in_order(user, store):
    a, b = dataset_of(user, "a", range(7)), dataset_of(user, "b", range(10, 15), folder="b/")
    objects = set(store.keys())
    dataset = made(user, (a, None), (b, None))
    assert (dataset.study_count, dataset.image_count, dataset.origin) == (12, 12, "combined")
    assert [image.path for image in images_of(dataset)] == [f"{n}.png" for n in range(7)] + [
        f"b/{n}.png" for n in range(5)
    ]
    assert list(dataset.studies.values_list("position", flat=True)) == list(range(12))
    assert [image.blob_id for image in images_of(dataset)] == [i.blob_id for d in (a, b) for i in images_of(d)]
    assert all(study.cover.study_id == study.pk for study in dataset.studies.all())
    assert dataset.size_bytes == sum(blob.size for blob in Blob.objects.filter(images__dataset=dataset).distinct())
    assert set(store.keys()) == objects, "nothing is written to the storage"
    assert not dataset.annotation_data.exists()
    assert Notification.objects.get(user=user).kind == "dataset.available"


def test_what_an_image_was_copied_from_is_kept_by_value(user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [2])
    dataset = made(user, (a, None), (b, None))
    [first, second] = images_of(dataset)
    assert (first.path, first.source_path, first.source_number) == ("0.png", "", 0)
    assert (second.path, second.source_path, second.source_number) == ("b/0.png", "0.png", 1)
    assert second.source_image == images_of(b)[0].pk
    assert [(s.source_dataset, s.name) for s in dataset.sources.all()] == [(a.pk, "a"), (b.pk, "b")]
    assert recipe_of(dataset).sources[1].dataset == b.pk


def test_a_path_below_the_name_of_a_source_may_be_taken_as_well(user):
    a = dataset_of(user, "a", [1, 2])
    b = dataset_of(user, "b/..", [3])
    study = Study.objects.create(dataset=b, key="b_/0.png", name="b_/0.png", position=1)
    study.cover = make_image(study, "b_/0.png", png(4))
    study.save()
    Dataset.objects.filter(pk=b.pk).update(**counts_of(b.pk))
    dataset = made(user, (a, None), (b, None))
    assert [i.path for i in images_of(dataset)] == ["0.png", "1.png", "b_ (2)/0.png", "b_/0.png"]


def test_dicom_studies_with_one_uid_become_one_study(user):
    datasets = []
    for name, series, number in (("a", "1.2.1", 1), ("b", "1.2.2", 2)):
        dataset = make_dataset(user, name, image_count=2, study_count=1)
        study = Study.objects.create(dataset=dataset, key="1.2", name="1.2", study_instance_uid="1.2", image_count=2)
        of_series = Series.objects.create(study=study, series_instance_uid=series, series_number=number)
        for place in range(2):
            shade = png(number * 10 + place)
            values = {"series": of_series, "format": "DICOM", "instance_number": place}
            values |= {"sop_instance_uid": f"{series}.{place}", "attributes": {"Modality": "CT"}}
            make_image(study, f"{place}.dcm", shade, position=place, **values)
        study.cover = study.images.first()
        study.save()
        Dataset.objects.filter(pk=dataset.pk).update(**counts_of(dataset.pk))
        datasets.append((dataset, None))
    dataset = made(user, *datasets)
    study = dataset.studies.get()
    assert (study.study_instance_uid, study.image_count, study.modality) == ("1.2", 4, "CT")
    assert [i.path for i in study.images.all()] == ["0.dcm", "1.dcm", "b/0.dcm", "b/1.dcm"]
    assert list(study.series.values_list("series_instance_uid", flat=True)) == ["1.2.1", "1.2.2"]
    assert dataset.image_format == "DICOM"


def test_labels_of_one_name_are_one_label_and_others_become_what_the_map_says(user):
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", range(10, 14), folder="b/")
    one, other = single(a, "cat", "dog", None, "cat"), single(b, "Cat", "bird", "dog", "fish")
    dataset = made(user, (a, one), (b, other), label_map={"Cat": "cat", "fish": None})
    assert said(dataset) == {
        "0.png": ["cat"],
        "1.png": ["dog"],
        "3.png": ["cat"],
        "b/0.png": ["cat"],
        "b/1.png": ["bird"],
        "b/2.png": ["dog"],
    }
    data = dataset.annotation_data.get()
    assert [(label.name, label.image_count) for label in data.labels.all()] == [("bird", 1), ("cat", 3), ("dog", 2)]
    assert (data.source_kind, data.image_count, dataset.annotation_data_count) == ("combined", 6, 1)


def test_images_of_a_source_without_labels_stay_unlabelled(user):
    a, b = dataset_of(user, "a", range(2)), dataset_of(user, "b", range(10, 12), folder="b/")
    dataset = made(user, (a, None), (b, single(b, "x", "y")))
    assert said(dataset) == {"b/0.png": ["x"], "b/1.png": ["y"]}
    assert dataset.image_count == 4


CONTRADICTIONS = [
    ("keep_all", "keep_first", {"0.png": ["x"], "1.png": ["y"], "b/0.png": ["x"], "b/2.png": ["z"]}, 4, 1),
    ("keep_all", "leave_unlabelled", {"0.png": ["x"], "b/0.png": ["x"], "b/2.png": ["z"]}, 4, 1),
    ("keep_once", "keep_first", {"0.png": ["x"], "1.png": ["y"], "b/2.png": ["z"]}, 3, 1),
    ("keep_once", "leave_unlabelled", {"0.png": ["x"], "b/2.png": ["z"]}, 3, 1),
]


@pytest.mark.parametrize(("duplicates", "on_conflict", "expected", "images", "conflicts"), CONTRADICTIONS)
def test_what_two_sources_say_of_the_same_bytes(user, duplicates, on_conflict, expected, images, conflicts):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [1, 2, 3], folder="b/")
    sources = (a, single(a, "x", "y")), (b, single(b, "x", "other", "z"))
    dataset = made(user, *sources, duplicates=duplicates, on_conflict=on_conflict)
    assert said(dataset) == expected
    assert dataset.image_count == (5 if duplicates == "keep_all" else images)
    assert dataset.combination.place["conflicts"] == conflicts


def test_a_third_source_does_not_settle_what_two_contradict_about(user):
    shades = [1]
    datasets = [dataset_of(user, name, shades) for name in "abc"]
    sources = [(d, single(d, label)) for d, label in zip(datasets, "xyx", strict=True)]
    dataset = made(user, *sources, duplicates="keep_once", on_conflict="leave_unlabelled")
    assert said(dataset) == {}
    assert dataset.image_count == 1


def test_all_boxes_are_kept_and_the_same_box_once(user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [1])
    same, other = Row("x", box=(1, 1, 5, 5)), Row("x", box=(10, 10, 4, 4))
    one = make_annotation_data(a, BOXES, ["x"], {images_of(a)[0]: [same]})
    two = make_annotation_data(b, BOXES, ["x", "y"], {images_of(b)[0]: [same, other, Row("y", box=(2, 2, 3, 3))]})
    dataset = made(user, (a, one), (b, two), duplicates="keep_once", on_conflict="keep_all")
    assert said(dataset) == {"0.png": ["x", "x", "y"]}


def test_an_image_has_a_label_if_either_source_says_so(user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [1])
    one = make_annotation_data(a, MULTI, ["x", "y"], {images_of(a)[0]: [Row("x", value=0), Row("y", value=1)]})
    two = make_annotation_data(b, MULTI, ["x", "z"], {images_of(b)[0]: [Row("x", value=1), Row("z", value=0)]})
    dataset = made(user, (a, one), (b, two), duplicates="keep_once", on_conflict="keep_all")
    rows = Annotation.objects.filter(item__image__dataset=dataset).order_by("label__name")
    assert list(rows.values_list("label__name", "value")) == [("x", 1), ("y", 1), ("z", 0)]


def test_labels_of_one_source_may_become_one(user):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [3], folder="b/")
    first, second = images_of(a)
    rows = {first: [Row("x", value=0), Row("X", value=1)], second: [Row("x", value=0), Row("X", value=0)]}
    one = make_annotation_data(a, MULTI, ["x", "X"], rows)
    two = make_annotation_data(b, MULTI, ["x"], {images_of(b)[0]: [Row("x", value=1)]})
    dataset = made(user, (a, one), (b, two), label_map={"X": "x"})
    found = Annotation.objects.filter(item__image__dataset=dataset).order_by("item__position")
    assert list(found.values_list("item__image__path", "label__name", "value")) == [
        ("0.png", "x", 1),
        ("1.png", "x", 0),
        ("b/0.png", "x", 1),
    ]


def test_images_with_nothing_on_them_stay_listed_and_masks_come_whole(user):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [3], folder="b/")
    first, second = images_of(a)
    mask = Row("m", box=(0, 0, 20, 16), counts="0P:", score=0.25)
    one = make_annotation_data(a, MASKS, ["m"], {first: [mask], second: []})
    two = make_annotation_data(b, MASKS, ["m"], {images_of(b)[0]: [mask]})
    dataset = made(user, (a, one), (b, two))
    assert said(dataset) == {"0.png": ["m"], "1.png": [], "b/0.png": ["m"]}
    row = Annotation.objects.filter(item__image__path="b/0.png", item__image__dataset=dataset).get()
    assert (row.counts, row.score, row.width) == ("0P:", 0.25, 20)


def test_a_source_that_is_deleted_meanwhile_fails_it(user):
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", range(10, 14))
    given = [{"dataset": a.pk}, {"dataset": b.pk}]
    dataset = combine_datasets(wanted=Wanted(given), by=user, name="made")
    delete_dataset(dataset=b, by=user, confirmation="DELETE")
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 4)
    assert "deleted" in dataset.status_detail
    assert recount_all() == 0
    with pytest.raises(WrongState):
        keep_accepted(dataset=dataset, by=user)


def test_a_combination_can_be_stopped_and_says_how_far_it_is(user):
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", range(10, 14))
    given = [{"dataset": a.pk, "annotation_data": single(a, *"wxyz").pk}, {"dataset": b.pk}]
    dataset = combine_datasets(wanted=Wanted(given), by=user, name="made")
    progress = progress_of(with_progress(Dataset.objects.all()).get(pk=dataset.pk))
    assert (progress.stage, progress.done, progress.total) == ("combining", 0, 8)
    cancel_ingest(dataset=dataset, by=user)
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.image_count) == (DatasetStatus.PREPARATION_FAILED, 0)
    assert Combination.objects.get().state == WorkState.CANCELLED
    assert dataset.annotation_data.get().status == AnnotationDataStatus.IMPORT_FAILED


def test_turns_are_taken_and_lost_work_is_found(user, monkeypatch):
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", range(10, 14))
    dataset = combine_datasets(wanted=Wanted([{"dataset": a.pk}, {"dataset": b.pk}]), by=user, name="made")
    pk = dataset.combination.pk
    assert combine_work.due() == []
    Combination.objects.update(sent_at=timezone.now() - timezone.timedelta(days=1))
    assert combine_work.due() == [pk]
    monkeypatch.setattr(combine_work, "TURN_SECONDS", 0)
    assert combine_work.run(pk)
    monkeypatch.setattr(combine_work, "TURN_SECONDS", 60)
    assert not combine_work.run(pk)
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_is_left_is_whole_whatever_is_deleted_first(user, store, settings, order):
    settings.DEEPCAP_TRASH_DAYS, settings.DEEPCAP_BLOB_GRACE = 0, timedelta(0)
    a, b = dataset_of(user, "a", range(3)), dataset_of(user, "b", range(2, 5), folder="b/")
    datasets = [a, b, made(user, (a, single(a, *"xyz")), (b, single(b, *"zzz")))]
    for number in order:
        gone = datasets[number]
        deletion = delete_dataset(dataset=gone, by=user, confirmation="DELETE")
        while run_deletion(deletion.pk):
            pass
        left = [dataset for dataset in datasets if Dataset.objects.filter(pk=dataset.pk).exists()]
        assert gone not in left
        for dataset in left:
            blobs = [image.blob for image in images_of(dataset)]
            assert len(blobs) == dataset.image_count
            for blob in blobs:
                assert hashlib.sha256(store.read(blob.original_key)).hexdigest() == blob.digest
            assert len(said(dataset)) == dataset.image_count
        stems = {key.partition(".")[0] for key, _size in store.keys("")}
        assert stems == set(Blob.objects.values_list("stem", flat=True)), "no object without a row, no row without one"
    assert not Blob.objects.exists()


def test_studies_that_were_picked_make_a_subset(user):
    a = dataset_of(user, "a", range(6))
    data = single(a, "x", "y", None, "x", "y", "z")
    picked = list(a.studies.filter(position__in=(1, 2, 5)).values_list("pk", flat=True))
    given = [{"dataset": a.pk, "annotation_data": data.pk, "studies": picked}]
    dataset = combine_datasets(wanted=Wanted(given), by=user, name="subset")
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.study_count) == (DatasetStatus.AVAILABLE, 3)
    assert [image.path for image in images_of(dataset)] == ["1.png", "2.png", "5.png"]
    assert said(dataset) == {"1.png": ["y"], "5.png": ["z"]}
    assert [(source.image_count, source.done_count) for source in dataset.sources.all()] == [(3, 3)]
    assert recount_all() == recount_annotations() == 0
