"""Counts and report against a count by hand, on whatever database the tests run on."""

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.formats.masks import Mask
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Label, Statistics
from annotations.statistics import arrange_labels, count, display, pages, recompute, recount_all
from annotations.statistics.coverage import pixels_together
from annotations.statistics.problems import PROBLEMS, having
from datasets.models import Image
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset

from .world import LABELS, count_by_hand, worlds, write

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def dataset(user):
    """Three studies of two images of 20 × 16 pixels."""
    return make_dataset(user, studies=3, images=2)


@pytest.fixture
def images(dataset):
    return list(Image.objects.filter(dataset=dataset).order_by("study__position", "position"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds, per_page=st.sampled_from([1, 2, 5000]))
def test_counts_and_report_are_what_one_counts_by_hand(dataset, images, world, per_page, monkeypatch):
    kind, listed = world
    AnnotationData.objects.all().delete()
    monkeypatch.setattr(pages, "IMAGES_PER_PAGE", per_page)
    monkeypatch.setattr(display, "SORTED_AT_ONCE", 0 if per_page < 5000 else 20_000)
    monkeypatch.setattr(display, "IMAGES_PER_PIECE", per_page)
    data = write(dataset, images, kind, listed)
    count(data.pk)
    arrange_labels(data.pk)
    numbers = recompute(data.pk).numbers
    by_hand = count_by_hand(images, kind, listed)
    shown = by_hand["shown"]
    data.refresh_from_db()

    assert [label.name for label in data.labels.all()] == ["aorta", "Heart", "lung"]
    assert {label.name: label.image_count for label in data.labels.all()} == by_hand["having"]
    assert {label.name: label.annotation_count for label in data.labels.all() if label.annotation_count} == dict(
        by_hand["annotations"]
    )
    assert (data.study_count, data.image_count, data.annotation_count) == (
        len({image.study_id for image, _ in shown}),
        len(shown),
        by_hand["annotations"].total(),
    )
    stored = list(data.listed.values_list("image", "position", "annotation_count"))
    own = [sum(1 for row in rows if row[1] or kind != AnnotationType.MULTI_LABEL) for _, rows in shown]
    assert stored == [(image.pk, place, own[place]) for place, (image, _) in enumerate(shown)]

    totals = numbers["totals"]
    assert totals["unlisted_images"] == 6 - len(shown)
    assert totals["negatives"] == own.count(0)
    everything = by_hand["annotations"].total() if kind == AnnotationType.DETECTION else len(shown)
    for each in numbers["label_distribution"]:
        counted = by_hand["annotations"] if kind == AnnotationType.DETECTION else by_hand["having"]
        share = 100 * counted[each["label"]] / everything if everything else 0
        assert each["percentage"] == pytest.approx(share, abs=0.00501)  # two decimals
    if kind == AnnotationType.DETECTION:
        assert bins(numbers["box_ratio"]) == by_hand["ratios"]
        assert bins(numbers["box_area"]) == by_hand["areas"]
        assert bins(numbers["boxes_per_image"]) == by_hand["per_image"]
    if kind == AnnotationType.SEGMENTATION:
        assert {each["label"]: bins(each) for each in numbers["mask_coverage"]} == by_hand["coverage"]
    for code in PROBLEMS:
        assert having(data.listed.all(), code).count() == by_hand["odd"][code]
        assert {each["code"]: each["count"] for each in numbers["advice"]}.get(code, 0) == by_hand["odd"][code]


def bins(histogram):
    return +Counter(dict(zip(histogram["bins"], histogram["counts"], strict=True)))


def test_counting_again_finds_nothing_wrong_and_a_wrong_count_is_reported_and_corrected(dataset, images, caplog):
    data = make_annotation_data(dataset, AnnotationType.DETECTION, LABELS)
    assert not any(count(data.pk).values())
    assert recount_all() == 0
    Label.objects.filter(annotation_data=data, name="lung").update(image_count=5)
    AnnotatedImage.objects.filter(annotation_data=data, image=images[2]).update(position=0, annotation_count=8)
    AnnotationData.objects.filter(pk=data.pk).update(annotation_count=1)
    assert recount_all() == 1
    assert "'positions': 1, 'images': 1, 'labels': 1, 'totals': 1" in caplog.text
    assert recount_all() == 0


def test_data_that_are_being_imported_or_deleted_are_left_alone(dataset):
    data = make_annotation_data(dataset, status="importing", annotation_count=99)
    AnnotationData.objects.filter(pk=data.pk).update(annotation_count=98)
    Statistics.objects.all().delete()
    assert recount_all() == 0
    data.refresh_from_db()
    assert data.annotation_count == 98


def test_the_same_bytes_with_different_labels_are_found(user):
    dataset = make_dataset(user, studies=1, images=4)
    a, b, c, d = Image.objects.filter(dataset=dataset).order_by("position")
    Image.objects.filter(pk__in=[a.pk, b.pk]).update(duplicate="bytes", blob=a.blob)
    Image.objects.filter(pk__in=[c.pk, d.pk]).update(duplicate="bytes", blob=c.blob)
    rows = {image: [Row(label, value=1)] for image, label in ((a, "lung"), (b, "aorta"), (c, "lung"), (d, "lung"))}
    data = make_annotation_data(dataset, labels=LABELS, rows=rows)
    numbers = recompute(data.pk).numbers
    torn = having(data.listed.all(), "duplicates_with_different_labels")
    assert {item.image_id for item in torn} == {a.pk, b.pk}
    assert {"duplicates_with_different_labels": 2}.items() <= {
        each["code"]: each["count"] for each in numbers["advice"]
    }.items()
    Annotation.objects.filter(item__image=b).update(label=Label.objects.get(name="lung"))
    recompute(data.pk)
    assert not torn.all().exists()


def test_an_image_with_nothing_contradicts_its_labelled_duplicate(user):
    dataset = make_dataset(user, studies=1, images=2)
    a, b = Image.objects.filter(dataset=dataset)
    Image.objects.update(duplicate="bytes", blob=a.blob)
    data = make_annotation_data(dataset, AnnotationType.MULTI_LABEL, LABELS, {a: [Row("lung", value=1)], b: []})
    recompute(data.pk)
    assert having(data.listed.all(), "duplicates_with_different_labels").count() == 2


def test_masks_of_frames_cover_their_share_of_all_frames(user):
    dataset = make_dataset(user, studies=1, images=2)
    one, many = Image.objects.filter(dataset=dataset).order_by("position")
    Image.objects.filter(pk=many.pk).update(frames=4)
    rows = {
        one: [Row("lung", counts="", frame=0)],
        many: [Row("lung", counts="", frame=2), Row("aorta", counts="", frame=0)],
    }
    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, LABELS, rows)
    Annotation.objects.update(area=320 * 0.3)  # 30 % of one frame
    coverage = {each["label"]: bins(each) for each in recompute(data.pk).numbers["mask_coverage"]}
    assert coverage["lung"] == {"[30,35)": 1, "[5,10)": 1}
    assert coverage["aorta"] == {"0": 1, "[30,35)": 1}


def test_pixels_of_masks_that_overlap_count_once_on_each_frame():
    left = Mask.from_runs(16, 20, [0, 160, 160])
    middle = Mask.from_runs(16, 20, [80, 160, 80])
    assert pixels_together([(0, left), (0, middle)], 1) == 240
    assert pixels_together([(0, left), (2, middle)], 4) == 3 * 160 + 240
    assert pixels_together([(1, left), (1, middle), (3, left)], 4) == 240 + 160
    assert pixels_together([(1, left), (1, Mask.empty(16, 20))], 2) == 160


def test_statements_grow_with_pages_and_not_with_rows(user):
    """Of a million images there are 200 pages; within a page everything is counted at once."""
    counted = []
    for studies in (2, 9):
        data = make_annotation_data(
            make_dataset(user, studies=studies, images=2), AnnotationType.DETECTION, LABELS, status="available"
        )
        with CaptureQueriesContext(connection) as queries:
            count(data.pk)
            recompute(data.pk)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 35  # PostgreSQL is told how to plan, too
