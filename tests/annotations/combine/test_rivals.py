"""What becomes of what several sources say of the same bytes: nothing is lost that nobody contradicts."""

import random

import pytest

from annotations import tasks
from annotations.combine import agreement
from annotations.combine import work as combine_work
from annotations.combine.agreement import Said, disagree
from annotations.models import Annotation, AnnotationType
from annotations.services.combinations import Wanted, combine_datasets, preview_combination
from annotations.services.deletions import delete_annotation_data
from datasets.deletion import run as run_deletion
from datasets.models import Dataset, DatasetStatus
from datasets.services.deletions import delete_dataset
from tests.annotations.builders import Row, make_annotation_data

from .world import dataset_of, images_of, made, said, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

SINGLE, MULTI, BOXES = AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL, AnnotationType.DETECTION


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    for name, size in (("IMAGES_PER_PIECE", 3), ("LISTED_PER_PIECE", 2), ("ANNOTATIONS_PER_PIECE", 3)):
        monkeypatch.setattr(combine_work, name, size)


def multi(dataset, *values):
    """Return multi-label data: of each image in order {label: 0 or 1}; None leaves an image out."""
    rows = {
        image: [Row(label, value=value) for label, value in each.items()]
        for image, each in zip(images_of(dataset), values, strict=True)
        if each is not None
    }
    return make_annotation_data(dataset, MULTI, sorted({label for each in values for label in each or ()}), rows)


def values_of(dataset):
    found = {image.blob_id: None for image in images_of(dataset)}
    for listed in dataset.annotation_data.get().listed.select_related("image"):
        rows = Annotation.objects.filter(item=listed).values_list("label__name", "value")
        found[listed.image.blob_id] = dict(rows)
    return found


def expected_of(sources, on_conflict):
    """Work out by hand what is said of each shade, kept once: a dictionary of values, or None."""
    result, contested = {}, set()
    for each in sources:
        for shade, given in each.items():
            there = result.get(shade)
            if given is None or there is None:
                result[shade] = given if there is None else there
                continue
            contradicts = any(there[label] != value for label, value in given.items() if label in there)
            if not contradicts:
                result[shade] = {**given, **there}
            elif on_conflict == "keep_all":
                labels = there.keys() | given.keys()
                result[shade] = {label: max(there.get(label, 0), given.get(label, 0)) for label in labels}
            elif on_conflict == "leave_unlabelled":
                contested.add(shade)
    return {shade: None if shade in contested else each for shade, each in result.items()}


@pytest.mark.parametrize("on_conflict", ["keep_first", "keep_all", "leave_unlabelled"])
@pytest.mark.parametrize("seed", range(4))
def test_several_sources_come_to_what_is_worked_out_by_hand(user, on_conflict, seed):
    chance = random.Random(seed)
    sources = [
        {
            shade: chance.choice([None, {label: chance.randint(0, 1) for label in chance.sample("xyz", 2)}])
            for shade in chance.sample(range(1, 9), 6)
        }
        for _ in range(3)
    ]
    datasets = [dataset_of(user, name, list(each)) for name, each in zip("abc", sources, strict=True)]
    shade_of = {
        image.blob_id: shade
        for dataset, each in zip(datasets, sources, strict=True)
        for image, shade in zip(images_of(dataset), each, strict=True)
    }
    pairs = [(dataset, multi(dataset, *each.values())) for dataset, each in zip(datasets, sources, strict=True)]
    dataset = made(user, *pairs, duplicates="keep_once", on_conflict=on_conflict)
    found = {shade_of[blob]: values for blob, values in values_of(dataset).items()}
    assert found == expected_of(sources, on_conflict)


@pytest.mark.parametrize("on_conflict", ["keep_first", "keep_all", "leave_unlabelled"])
def test_a_label_that_only_one_source_knows_is_not_lost(user, on_conflict):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [1, 2])
    pairs = (a, multi(a, {"Pneumonia": 1}, {})), (b, multi(b, {"Cardiomegaly": 1}, {"Cardiomegaly": 1}))
    found = preview_combination(
        wanted=Wanted([{"dataset": d.pk, "annotation_data": data.pk} for d, data in pairs]), by=user
    )
    assert (found.conflicts.examined, found.conflicts.count) == (2, 0)
    dataset = made(user, *pairs, duplicates="keep_once", on_conflict=on_conflict)
    assert said(dataset) == {"0.png": ["Cardiomegaly", "Pneumonia"], "1.png": ["Cardiomegaly"]}


def test_classes_of_different_frames_come_together(user):
    a, b = dataset_of(user, "a", [1]), dataset_of(user, "b", [1])
    one = make_annotation_data(a, SINGLE, ["x"], {images_of(a)[0]: [Row("x", value=1, frame=1)]})
    other = make_annotation_data(
        b, SINGLE, ["x", "y"], {images_of(b)[0]: [Row("x", value=1, frame=1), Row("y", value=1, frame=2)]}
    )
    dataset = made(user, (a, one), (b, other), duplicates="keep_once")
    assert said(dataset) == {"0.png": ["x", "y"]}


@pytest.mark.parametrize("duplicates", ["keep_all", "keep_once"])
def test_no_copy_of_contested_bytes_keeps_its_label(user, duplicates):
    a = dataset_of(user, "a", [1, 1, 2])
    b, c = dataset_of(user, "b", [1], folder="b/"), dataset_of(user, "c", [1], folder="c/")
    pairs = (a, single(a, "x", "x", "z")), (b, single(b, "x")), (c, single(c, "y"))
    dataset = made(user, *pairs, duplicates=duplicates, on_conflict="leave_unlabelled")
    assert said(dataset) == {"2.png": ["z"]}


def test_boxes_that_say_the_same_are_not_doubled(user):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [1, 2])
    near, nearly = Row("x", box=(1, 1, 10, 10)), Row("x", box=(1, 1, 10, 9))
    one = make_annotation_data(a, BOXES, ["x"], {image: [near] for image in images_of(a)})
    first, second = images_of(b)
    other = make_annotation_data(b, BOXES, ["x", "y"], {first: [nearly], second: [nearly, Row("y", box=(0, 0, 3, 3))]})
    dataset = made(user, (a, one), (b, other), duplicates="keep_once", on_conflict="keep_all")
    assert said(dataset) == {"0.png": ["x"], "1.png": ["x", "x", "y"]}


@pytest.mark.parametrize("gone", ["dataset", "annotation data"])
def test_a_source_that_was_erased_before_it_was_read_fails_it(user, settings, gone):
    settings.DEEPCAP_TRASH_DAYS = 0
    a, b = dataset_of(user, "a", range(4)), dataset_of(user, "b", range(10, 14), folder="b/")
    data = single(b, *"wxyz")
    given = [{"dataset": a.pk, "annotation_data": single(a, *"wxyz").pk}]
    given.append({"dataset": b.pk, "annotation_data": data.pk})
    dataset = combine_datasets(wanted=Wanted(given), by=user, name="made")
    if gone == "dataset":
        deletion = delete_dataset(dataset=b, by=user, confirmation="DELETE")
    else:
        deletion = delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE")
    while run_deletion(deletion.pk):
        pass
    assert Dataset.objects.filter(pk=b.pk).exists() == (gone != "dataset")
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert "deleted" in dataset.status_detail


def test_labels_that_become_one_are_judged_as_the_work_judges_them(user):
    a, b = dataset_of(user, "a", [1, 2]), dataset_of(user, "b", [1, 2])
    pairs = (a, multi(a, {"A1": 1, "A2": 0}, {"A1": 0, "A2": 1})), (b, multi(b, {"A": 1}, {"A": 0}))
    names = {"label_map": {"A1": "A", "A2": "A"}}
    given = [{"dataset": d.pk, "annotation_data": data.pk} for d, data in pairs]
    found = preview_combination(wanted=Wanted(given, **names), by=user)
    assert (found.conflicts.count, found.conflicts.examined) == (1, 2)
    dataset = made(user, *pairs, **names)
    assert dataset.combination.place["conflicts"] == 1


def test_what_is_left_out_is_not_counted(user):
    a, b = dataset_of(user, "a", range(3)), dataset_of(user, "b", range(10, 12), folder="b/")
    pairs = (a, single(a, "cat", "artifact", "artifact")), (b, single(b, "cat", "dog"))
    names = {"label_map": {"artifact": None}}
    given = [{"dataset": d.pk, "annotation_data": data.pk} for d, data in pairs]
    found = preview_combination(wanted=Wanted(given, **names), by=user)
    assert (found.totals["listed_images"], found.totals["annotations"], found.is_exact) == (3, 3, True)
    data = made(user, *pairs, **names).annotation_data.get()
    assert (data.image_count, data.annotation_count) == (3, 3)


@pytest.mark.parametrize("moved", [0, 1, 40])
def test_thousands_of_boxes_are_compared_by_those_that_touch(monkeypatch, moved):
    compared = []
    monkeypatch.setattr(
        agreement, "box_overlap", lambda a, b, real=agreement.box_overlap: compared.append(1) or real(a, b)
    )
    boxes = [Said("x", box=(50.0 * (n % 70), 50.0 * (n // 70), 20.0, 20.0)) for n in range(4_900)]
    others = [Said("x", box=(each.box[0] + moved, *each.box[1:])) for each in reversed(boxes)]
    assert disagree(BOXES, boxes, others) == (moved == 40)
    assert len(compared) <= 3 * len(boxes)
