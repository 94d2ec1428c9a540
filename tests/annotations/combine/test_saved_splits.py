"""Splits that are saved: whole, as they were asked for, theirs only, and kept while something refers to them."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations import tasks
from annotations.errors import NotTheOwner, SplitInUse, SplitRefused
from annotations.models import AnnotationDataStatus, AnnotationType, Split, SplitMember
from annotations.services.split_plans import USUAL, Wish
from annotations.services.splits import (
    create_split,
    datasets_of_split,
    delete_split,
    preview_split,
    rename_split,
    splits_of,
)
from datasets.errors import ValueRefused, WrongState
from datasets.models import Image, Study
from deepcap.accounts.models import AuditEvent
from tests.annotations.builders import Row, make_annotation_data
from tests.usage.builders import make_training

from .world import dataset_of, images_of, said, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

HALVES = Wish({"train": 1, "test": 1})


@pytest.fixture
def data(user):
    """Twelve studies of six patients, and one of nobody; the last of them is not listed."""
    dataset = dataset_of(user, "Chest", [*range(13), 13])
    for study in Study.objects.filter(dataset=dataset, position__lt=12):
        study.patient_key = f"patient {study.position // 2}"
        study.save()
    return single(dataset, *["x", "x", "y", "y"] * 3, "x", None)


@pytest.fixture
def twelve(user):
    dataset = dataset_of(user, "any", range(12))
    return dataset, images_of(dataset)


def patients(split, part):
    members = SplitMember.objects.filter(split=split, part=part)
    return set(members.exclude(study__patient_key="").values_list("study__patient_key", flat=True))


def test_a_split_holds_every_study_that_is_listed_once_and_says_what_it_did(user, data):
    split = create_split(annotation_data=data, by=user, name=" For the paper ", wish=Wish(HALVES.shares, seed=7))
    listed = set(data.listed.values_list("image__study", flat=True))
    assert set(split.members.values_list("study", flat=True)) == listed
    assert (split.name, split.seed, split.study_count, split.part_names) == ("For the paper", 7, 13, ["train", "test"])
    assert not patients(split, 0) & patients(split, 1)
    parts = split.report["parts"]
    assert [part["studies"] for part in parts] == [split.members.filter(part=place).count() for place in (0, 1)]
    assert {label: sum(part["labels"].get(label, 0) for part in parts) for label in "xy"} == {"x": 7, "y": 6}
    assert split.report["leaks"] == {"patients": 0, "images": 0}
    assert split.report["without_patient"] == 1
    again = create_split(annotation_data=data, by=user, name="again", wish=Wish(HALVES.shares, seed=7))
    assert set(again.members.values_list("study", "part")) == set(split.members.values_list("study", "part"))
    assert AuditEvent.objects.filter(action="split.created").count() == 2


def test_what_leaks_is_told_where_patients_are_not_kept_together(user, data):
    Image.objects.filter(dataset=data.dataset, study__position=0).update(
        blob=Image.objects.get(dataset=data.dataset, study__position=5).blob
    )
    plans = [
        preview_split(annotation_data=data, wish=Wish(HALVES.shares, seed=seed, by_patient=False)) for seed in range(9)
    ]
    assert max(plan.shared_patients for plan in plans) > 0
    assert {plan.shared_images for plan in plans} == {0, 1}
    for plan in plans:
        of = {study: part.name for part in plan.parts for study in part.studies}
        for group in plan.examples:
            assert len({of[study] for study in group}) > 1
    assert preview_split(annotation_data=data, wish=HALVES).shared_images == 0
    assert Split.objects.count() == 0


def test_what_cannot_be_split_is_refused(user, other_user, data):
    for wish, code in [
        (Wish({"all": 1}), "shares_invalid"),
        (Wish({"a": 1, "b": float("nan")}), "shares_invalid"),
        (Wish({"a": 1, "b": 0}), "shares_invalid"),
        (Wish({"a": 1, "A": 1}), "part_name_invalid"),
        (Wish({"a": 1, "../b": 1}), "part_name_invalid"),
        (Wish(HALVES.shares, seed=-1), "seed_invalid"),
        (Wish({"a": 1e9, "b": 1}), "part_empty"),
    ]:
        with pytest.raises(SplitRefused) as refused:
            create_split(annotation_data=data, by=user, name="x", wish=wish)
        assert refused.value.code == code
    with pytest.raises(NotTheOwner):
        create_split(annotation_data=data, by=other_user, name="x", wish=HALVES)
    create_split(annotation_data=data, by=user, name="taken", wish=HALVES)
    with pytest.raises(ValueRefused) as taken:
        create_split(annotation_data=data, by=user, name="taken", wish=HALVES)
    assert taken.value.code == "name_taken"
    data.status = AnnotationDataStatus.IMPORTING
    data.save()
    with pytest.raises(WrongState):
        create_split(annotation_data=data, by=user, name="y", wish=HALVES)
    assert Split.objects.count() == 1


def test_a_split_is_renamed_and_deleted_by_its_owner(user, other_user, data):
    split = create_split(annotation_data=data, by=user, name="one", wish=HALVES)
    create_split(annotation_data=data, by=user, name="two", wish=HALVES)
    with pytest.raises(ValueRefused):
        rename_split(split=split, by=user, name="two")
    rename_split(split=split, by=user, name="three")
    for change in (
        lambda: rename_split(split=split, by=other_user, name="z"),
        lambda: delete_split(split=split, by=other_user),
    ):
        with pytest.raises(NotTheOwner):
            change()
    assert [each.name for each in splits_of(user, data)] == ["two", "three"]
    assert not splits_of(other_user, data)
    delete_split(split=split, by=user)
    assert [each.name for each in splits_of(user, data)] == ["two"]
    assert SplitMember.objects.exclude(split__name="two").count() == 0
    assert Study.objects.filter(dataset=data.dataset).count() == 14


def test_a_split_that_was_trained_on_stays(user, data):
    split = create_split(annotation_data=data, by=user, name="one", wish=HALVES)
    task = make_training(data, split=split)
    assert [each.use_count for each in splits_of(user, data)] == [1]
    with pytest.raises(SplitInUse) as refused:
        delete_split(split=split, by=user)
    assert "1 training task" in refused.value.message
    with pytest.raises(IntegrityError), transaction.atomic():
        split.members.all().delete()
        Split.objects.filter(pk=split.pk)._raw_delete(connection.alias)
        connection.check_constraints()
    task.delete()
    delete_split(split=split, by=user)
    assert Split.objects.count() == 0


def test_a_list_takes_one_query_however_long(user, data, django_assert_num_queries):
    for number in range(5):
        make_training(data, split=create_split(annotation_data=data, by=user, name=str(number), wish=HALVES))
    with django_assert_num_queries(1):
        assert [(each.created_by.pk, each.use_count) for each in splits_of(user, data)] == [(user.pk, 1)] * 5


def test_statements_of_a_split_do_not_grow_with_studies(user):
    numbers = []
    for size in (8, 40):
        data = make_annotation_data(dataset_of(user, str(size), range(size)))
        with CaptureQueriesContext(connection) as queries:
            create_split(annotation_data=data, by=user, name="x", wish=HALVES)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1], numbers


def test_parts_become_datasets_with_their_labels(user, data):
    split = create_split(annotation_data=data, by=user, name="x", wish=HALVES)
    made = datasets_of_split(split=split, by=user)
    for dataset in made:
        tasks.run_combination(dataset.combination.pk)
    assert [dataset.name for dataset in made] == ["Chest – train", "Chest – test"]
    paths = [set(said(dataset)) for dataset in made]
    assert not paths[0] & paths[1]
    assert paths[0] | paths[1] == {image.path for image in images_of(data.dataset)[:13]}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 9), st.sets(st.sampled_from("abc"))), min_size=12, max_size=12
    ),
    st.integers(0, 5),
)
def test_whatever_studies_have_in_common_is_in_one_part(user, twelve, rows, seed):
    dataset, images = twelve
    for image, (patient, shade, _labels) in zip(images, rows, strict=True):
        Study.objects.filter(pk=image.study_id).update(patient_key=f"patient {patient}" if patient else "")
        Image.objects.filter(pk=image.pk).update(blob=images[shade].blob)
    said = {
        image: [Row(label, value=1) for label in sorted(labels)]
        for image, (_patient, _shade, labels) in zip(images, rows, strict=True)
    }
    data = make_annotation_data(dataset, AnnotationType.MULTI_LABEL, "abc", said)
    try:
        split = create_split(annotation_data=data, by=user, name="x", wish=Wish(USUAL, seed=seed))
    except SplitRefused as refused:
        assert refused.code == "part_empty"
        return
    members = dict(split.members.values_list("study", "part"))
    assert set(members) == {image.study_id for image in images}
    for column in ("study__patient_key", "blob"):
        parts_of = {}
        for study, tie in Image.objects.filter(dataset=dataset).values_list("study", column):
            if tie:
                parts_of.setdefault(tie, set()).add(members[study])
        assert all(len(parts) == 1 for parts in parts_of.values())
