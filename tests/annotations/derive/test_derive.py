"""Conversions and merges against the same worked out by hand, row by row."""

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations import tasks
from annotations.derive import work as derive_work
from annotations.errors import NotTheOwner
from annotations.formats.masks import Mask
from annotations.models import Annotation, AnnotationData, AnnotationDataStatus, AnnotationType, Derivation, SourceKind
from annotations.services.derivations import convert, progress_of
from annotations.statistics import recount_all
from datasets.errors import ValueRefused, WrongState
from datasets.models import Dataset, Image
from deepcap.accounts.models import Notification
from deepcap.common.leases import WorkState
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

SINGLE, MULTI = AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL
BOXES, MASKS = AnnotationType.DETECTION, AnnotationType.SEGMENTATION
LABELS = ("a", "b", "c")
WIDTH, HEIGHT = 20, 16


@pytest.fixture
def dataset(user):
    return make_dataset(user, studies=2, images=3)


@pytest.fixture
def images(dataset):
    return list(Image.objects.filter(dataset=dataset).order_by("study__position", "position"))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(derive_work, "IMAGES_PER_PIECE", 2)
    monkeypatch.setattr(derive_work, "ANNOTATIONS_PER_PIECE", 3)


def made(source, target, **choices):
    """Convert, with the worker's part done, and return the annotation data."""
    data = convert(annotation_data=source, by=source.dataset.owner, annotation_type=target, name="made", **choices)
    tasks.run_derivation(data.derivation.pk)
    data.refresh_from_db()
    return data


def said(data):
    """Return what is said of each image that is listed, as sorted tuples, by path."""
    rows = {item.image.path: [] for item in data.listed.select_related("image")}
    for row in Annotation.objects.filter(item__annotation_data=data).select_related("label", "item__image"):
        box = None if row.x is None else (row.x, row.y, row.width, row.height)
        rows[row.item.image.path].append((row.label.name, row.kind, row.value, box, row.counts, row.frame))
    return {path: sorted(each, key=repr) for path, each in rows.items()}


def mask(x, y, width, height):
    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[y : y + height, x : x + width] = True
    return Mask.from_array(pixels)


def mask_row(label, made_mask):
    return Row(label, box=made_mask.bbox, counts=made_mask.counts)


def test_boxes_become_classes_of_their_images(dataset, images):
    box = (1, 2, 3, 4)
    rows = {
        images[0]: [Row("a", box=box), Row("a", box=box), Row("b", box=box)],
        images[1]: [],
        images[4]: [Row("c", box=box)],
    }
    data = made(make_annotation_data(dataset, BOXES, LABELS, rows), MULTI)
    assert said(data) == {
        images[0].path: [("a", "m", 1, None, None, 0), ("b", "m", 1, None, None, 0)],
        images[1].path: [],
        images[4].path: [("c", "m", 1, None, None, 0)],
    }
    assert (data.status, data.source_kind) == (AnnotationDataStatus.AVAILABLE, SourceKind.CONVERTED)
    assert (data.study_count, data.image_count, data.annotation_count) == (2, 3, 3)
    assert [label.color for label in data.labels.all()] == ["#03a9f4", "#00c853", "#ff9800"]
    assert data.statistics.numbers["totals"]["negatives"] == 1
    assert recount_all() == 0


def test_an_image_with_two_classes_is_left_out_of_single_labels_and_counted(dataset, images, user):
    box = (1, 2, 3, 4)
    rows = {
        images[0]: [Row("a", box=box), Row("b", box=box)],
        images[1]: [],
        images[2]: [Row("c", box=box), Row("c", box=box)],
        images[3]: [Row("a", box=box), Row("a", box=box), Row("c", box=box)],
    }
    source = make_annotation_data(dataset, BOXES, LABELS, rows)
    data = made(source, SINGLE)
    assert said(data) == {images[2].path: [("c", "c", 1, None, None, 0)]}
    assert data.source_detail == {
        "name": source.name,
        "id": source.pk,
        "left_out": {"conflicts": 2, "without_class": 1},
    }
    assert data.status_detail == "2 images with several classes were left out. 1 image without a class was left out."
    merged = made(source, SINGLE, merge={"both": ["a", "b"]})
    assert said(merged)[images[0].path] == [("both", "c", 1, None, None, 0)]
    assert Notification.objects.filter(user=user, kind="annotation_data.available").count() == 2


def test_masks_become_the_boxes_around_them_and_empty_ones_are_counted(dataset, images):
    one, other, nothing = mask(2, 3, 5, 4), mask(9, 9, 1, 1), Mask.empty(HEIGHT, WIDTH)
    rows = {images[0]: [mask_row("a", one), mask_row("a", other)], images[1]: [mask_row("b", nothing)]}
    source = make_annotation_data(dataset, MASKS, LABELS, rows)
    data = made(source, BOXES)
    assert said(data) == {
        images[0].path: [("a", "b", None, (2, 3, 5, 4), None, 0), ("a", "b", None, (9, 9, 1, 1), None, 0)],
        images[1].path: [],
    }
    assert data.status_detail == "1 empty mask was left out."
    Annotation.objects.filter(item__annotation_data=source, label__name="b").update(area=0)
    Annotation.objects.filter(item__annotation_data=source, label__name="a").update(area=1)
    assert said(made(source, MULTI))[images[1].path] == []


def test_masks_of_classes_are_united_and_masks_of_objects_stay(dataset, images):
    left, right, third = mask(0, 0, 4, 16), mask(10, 0, 4, 8), mask(3, 3, 3, 3)
    rows = {images[0]: [mask_row("a", left), mask_row("b", right)], images[1]: [mask_row("b", right)]}
    data = made(make_annotation_data(dataset, MASKS, LABELS, rows), MASKS, merge={"lungs": ["a", "b"]})
    both = Annotation.objects.get(item__annotation_data=data, item__image=images[0])
    expected = left.decode() | right.decode()
    assert (Mask(HEIGHT, WIDTH, both.counts).decode() == expected).all()
    assert (both.x, both.width, both.area) == (0, 14, expected.sum())
    assert said(data)[images[1].path] == [("lungs", "s", None, right.bbox, right.counts, 0)]
    objects = {
        images[0]: [mask_row("a", left), mask_row("b", right)],
        images[1]: [mask_row("a", left), mask_row("a", third)],
    }
    kept = made(make_annotation_data(dataset, MASKS, LABELS, objects), MASKS, merge={"lungs": ["a", "b"]})
    assert [len(each) for each in said(kept).values()] == [2, 2]


def test_merged_classes_are_there_if_one_of_them_was(dataset, images):
    rows = {
        images[0]: [Row("a", value=0), Row("b", value=1), Row("c", value=0)],
        images[1]: [Row("a", value=0), Row("b", value=0)],
    }
    data = made(make_annotation_data(dataset, MULTI, LABELS, rows), MULTI, merge={"ab": ["a", "b"]})
    assert said(data) == {
        images[0].path: [("ab", "m", 1, None, None, 0), ("c", "m", 0, None, None, 0)],
        images[1].path: [("ab", "m", 0, None, None, 0)],
    }


def test_a_subset_of_classes_leaves_out_the_images_of_the_others(dataset, images):
    data = made(make_annotation_data(dataset, SINGLE, LABELS), SINGLE, labels=["a", "c"])
    assert [label.name for label in data.labels.all()] == ["a", "c"]
    assert list(said(data)) == [images[n].path for n in (0, 2, 3, 5)]
    assert list(data.listed.values_list("position", flat=True)) == [0, 1, 2, 3]
    assert data.source_detail["left_out"] == {"without_class": 2}


rows_of_boxes = st.lists(
    st.tuples(st.sampled_from(LABELS), st.integers(1, 5), st.sampled_from([None, 0.25, 0.5])), max_size=5
)
choices = st.fixed_dictionaries(
    {"labels": st.none() | st.lists(st.sampled_from(LABELS), unique=True)},
    optional={"merge": st.dictionaries(st.sampled_from(["x", "c"]), st.lists(st.sampled_from(LABELS), min_size=1))},
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(st.none() | rows_of_boxes, min_size=6, max_size=6), choices=choices)
def test_boxes_keep_everything_but_the_labels_that_were_not_asked_for(dataset, images, listed, choices):
    AnnotationData.objects.all().delete()
    merge = choices.get("merge") or {}
    if (choices["labels"] is None and not merge) or (choices["labels"] == [] and not merge):
        return
    shown = {image: rows for image, rows in zip(images, listed, strict=True) if rows is not None}
    source = make_annotation_data(
        dataset,
        BOXES,
        LABELS,
        {
            image: [Row(label, box=(0, 1, side, 2), score=score) for label, side, score in rows]
            for image, rows in shown.items()
        },
    )
    data = made(source, BOXES, **choices)
    merged = {old for olds in merge.values() for old in olds}
    kept = [name for name in LABELS if name not in merged] if choices["labels"] is None else choices["labels"]
    pairs = {(name, name) for name in kept} | {(old, new) for new, olds in merge.items() for old in olds}
    becomes = {label: [new for old, new in pairs if old == label] for label in LABELS}
    assert said(data) == {
        image.path: sorted(
            [(new, "b", None, (0, 1, side, 2), None, 0) for label, side, _ in rows for new in becomes[label]],
            key=repr,
        )
        for image, rows in shown.items()
    }
    scores = Annotation.objects.filter(item__annotation_data=data).exclude(score=None).count()
    assert scores == sum(len(becomes[label]) for rows in shown.values() for label, _, score in rows if score)
    assert recount_all() == 0


def test_names_are_used_once_and_progress_is_told_until_it_is_done(dataset, user):
    source = make_annotation_data(dataset, BOXES, LABELS, name="made")
    data = convert(annotation_data=source, by=user, annotation_type=MULTI, name=" made ")
    assert (data.name, data.status) == ("made (2)", AnnotationDataStatus.IMPORTING)
    assert progress_of(data) == {"stage": "converting", "done": 0, "total": 6, "eta_seconds": None}
    assert Dataset.objects.get(pk=dataset.pk).annotation_data_count == 2
    tasks.run_derivation(data.derivation.pk)
    data.refresh_from_db()
    assert progress_of(data) is None


def test_others_and_data_that_are_not_ready_are_refused(dataset, other_user, user):
    source = make_annotation_data(dataset, BOXES, LABELS)
    with pytest.raises(NotTheOwner):
        convert(annotation_data=source, by=other_user, annotation_type=MULTI, name="x")
    with pytest.raises(ValueRefused):
        convert(annotation_data=source, by=user, annotation_type=MULTI, name=" ")
    source.status = AnnotationDataStatus.IMPORTING
    with pytest.raises(WrongState):
        convert(annotation_data=source, by=user, annotation_type=MULTI, name="x")
    assert not Derivation.objects.exists()


def test_data_made_from_what_is_deleted_meanwhile_fail(dataset, user):
    source = make_annotation_data(dataset, BOXES, LABELS)
    data = convert(annotation_data=source, by=user, annotation_type=MULTI, name="x")
    AnnotationData.objects.filter(pk=source.pk).update(status=AnnotationDataStatus.DELETING)
    tasks.run_derivation(data.derivation.pk)
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.IMPORT_FAILED
    assert "deleted" in data.status_detail
    assert data.derivation.__class__.objects.get(pk=data.derivation.pk).state == WorkState.FAILED


def test_nothing_is_copied_into_what_is_being_deleted_and_it_goes_on_if_that_is_taken_back(dataset, user):
    source = make_annotation_data(dataset, BOXES, LABELS)
    data = convert(annotation_data=source, by=user, annotation_type=MULTI, name="x")
    Dataset.objects.filter(pk=dataset.pk).update(status="deleting")
    tasks.run_derivation(data.derivation.pk)
    assert not data.listed.exists()
    Dataset.objects.filter(pk=dataset.pk).update(status="available")
    Derivation.objects.update(lease_until=timezone.now())
    assert derive_work.due() == [data.derivation.pk]
    tasks.run_derivation(data.derivation.pk)
    data.refresh_from_db()
    assert (data.status, data.image_count) == (AnnotationDataStatus.AVAILABLE, 6)


def test_a_turn_that_is_over_is_handed_on_and_the_next_goes_on_where_it_was(dataset, user, monkeypatch):
    source = make_annotation_data(dataset, BOXES, LABELS)
    data = convert(annotation_data=source, by=user, annotation_type=MULTI, name="x")
    clock = iter([0, *[0] * 2, 1e6, *[2e6] * 9])
    monkeypatch.setattr(derive_work.time, "monotonic", lambda: next(clock))
    assert derive_work.run(data.derivation.pk)
    assert data.listed.count() == 4
    monkeypatch.undo()
    assert not derive_work.run(data.derivation.pk)
    data.refresh_from_db()
    assert (data.image_count, data.status) == (6, AnnotationDataStatus.AVAILABLE)


def test_what_ends_every_worker_is_given_up(dataset, user):
    source = make_annotation_data(dataset, BOXES, LABELS)
    data = convert(annotation_data=source, by=user, annotation_type=MULTI, name="x")
    Derivation.objects.update(attempts=derive_work.MAX_ATTEMPTS)
    tasks.run_derivation(data.derivation.pk)
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.IMPORT_FAILED
