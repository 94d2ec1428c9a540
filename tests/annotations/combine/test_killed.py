"""A combination whose workers are killed again and again ends as one that nobody disturbed."""

from __future__ import annotations

import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, Combination
from annotations.services.combinations import Wanted, combine_datasets
from annotations.statistics import recount_all as recount_annotations
from datasets.ingest.recount import recount_all
from deepcap.accounts.models import Notification

from .world import dataset_of, images_of, single

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True), pytest.mark.postgres]

KILLS = 4


def work(mortals, dataset, *, moment=0):
    """Run the combination in a process of its own, killed at ``moment``; return its exit status."""
    status = mortals.run("tests.annotations.combine.killed", dataset.combination.pk, moment)
    Combination.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(hours=1))
    return status


def end_state(dataset):
    dataset.refresh_from_db()
    data = dataset.annotation_data.get()
    places = {image.pk: place for place, image in enumerate(images_of(dataset))}
    images = [(i.path, i.position, i.source_image, i.blob_id, i.duplicate) for i in images_of(dataset)]
    return (
        (dataset.status, dataset.study_count, dataset.image_count, dataset.size_bytes),
        images,
        list(dataset.studies.values_list("key", "position", "image_count")),
        list(dataset.sources.values_list("name", "image_count", "done_count")),
        (data.status, data.image_count, data.annotation_count),
        [(label.name, label.color, label.image_count) for label in data.labels.all()],
        [(places[image], *rest) for image, *rest in data.listed.values_list("image", "position", "annotation_count")],
        sorted(Annotation.objects.filter(item__annotation_data=data).values_list("item__image__path", "label__name")),
    )


def test_killed_at_any_moment_and_run_again_it_ends_as_if_undisturbed(user, mortals):
    a, b = dataset_of(user, "a", range(7)), dataset_of(user, "b", range(4, 10))
    sources = [
        {"dataset": a.pk, "annotation_data": single(a, *"xyxyxyx").pk},
        {"dataset": b.pk, "annotation_data": single(b, *"zyxzzz").pk},
    ]
    wanted = Wanted(sources, on_conflict="leave_unlabelled", duplicates="keep_once")
    calm = combine_datasets(wanted=wanted, by=user, name="calm")
    assert work(mortals, calm) == 0
    expected = end_state(calm)
    assert expected[0] == ("available", 10, 10, expected[0][3])

    wild = combine_datasets(wanted=wanted, by=user, name="wild")
    choice = random.Random(7)
    for _kill in range(KILLS):
        assert work(mortals, wild, moment=choice.randint(1, 60)) == -signal.SIGKILL
        Combination.objects.filter(dataset=wild).update(attempts=0)
    assert work(mortals, wild) == 0
    assert end_state(wild) == expected
    assert recount_all() == recount_annotations() == 0
    assert Notification.objects.filter(user=user).count() == 2
