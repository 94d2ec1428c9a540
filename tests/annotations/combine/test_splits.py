"""A dataset divided into datasets."""

import pytest

from annotations import tasks
from annotations.errors import NotTheOwner, SplitRefused
from annotations.services.split_plans import Wish
from annotations.services.splits import split_dataset
from datasets.models import Blob, Study

from .world import dataset_of, said, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

SHARES = {"train": 3, "test": 1}


def test_nobody_is_in_two_parts_and_labels_are_in_proportion(user):
    shades = [*range(14), 0, 1]  # the last two have the bytes of the first two
    dataset = dataset_of(user, "all", shades)
    for study in Study.objects.filter(dataset=dataset, position__lt=12):
        study.patient_key = f"patient {study.position // 2}"
        study.save()
    data = single(dataset, *["x", "x", "y", "y"] * 4)
    made, plan = split_dataset(dataset=dataset, by=user, wish=Wish(SHARES, seed=3), annotation_data=data)
    assert (plan.shared_patients, plan.shared_images, plan.without_patient) == (0, 0, 4)
    for part in made.values():
        tasks.run_combination(part.combination.pk)
        part.refresh_from_db()
    train, test = made.values()
    assert (train.name, train.status, test.status) == ("all – train", "available", "available")
    assert train.study_count + test.study_count == 16
    keys = [set(part.studies.exclude(patient_key="").values_list("patient_key", flat=True)) for part in (train, test)]
    assert not keys[0] & keys[1]
    blobs = [set(Blob.objects.filter(images__dataset=part).values_list("pk", flat=True)) for part in (train, test)]
    assert not blobs[0] & blobs[1]
    assert {label for labels in said(test).values() for label in labels} == {"x", "y"}
    assert 3 <= test.study_count <= 5


def test_what_cannot_be_split_is_refused(user, other_user):
    dataset = dataset_of(user, "all", [1])
    with pytest.raises(NotTheOwner):
        split_dataset(dataset=dataset, by=other_user, wish=Wish(SHARES))
    for shares, code in (({"all": 1}, "shares_invalid"), (SHARES, "part_empty")):
        with pytest.raises(SplitRefused) as refused:
            split_dataset(dataset=dataset, by=user, wish=Wish(shares))
        assert refused.value.code == code
    assert user.datasets.count() == 1
