"""Annotation data whose makers are killed again and again end as those that nobody disturbed."""

from __future__ import annotations

import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotation, AnnotationData, AnnotationDataStatus, AnnotationType, Derivation
from annotations.services.derivations import convert
from annotations.statistics import recount_all
from deepcap.accounts.models import Notification
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset
from tests.mortals import Mortals

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True), pytest.mark.postgres]

KILLS = 8


def work(mortals: Mortals, data: AnnotationData, *, moment: int = 0) -> int:
    """Run the derivation in a process of its own, killed at ``moment``; return its exit status."""
    status = mortals.run("tests.annotations.derive.killed", data.derivation.pk, moment)
    Derivation.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(hours=1))
    return status


def end_state(data: AnnotationData) -> tuple[object, ...]:
    data.refresh_from_db()
    rows = Annotation.objects.filter(item__annotation_data=data)
    return (
        (data.status, data.image_count, data.study_count, data.annotation_count),
        [(label.name, label.color, label.image_count, label.annotation_count) for label in data.labels.all()],
        list(data.listed.values_list("image", "position", "annotation_count", "problems")),
        sorted(rows.values_list("item__image", "label__name", "value", "score")),
        data.statistics.numbers,
    )


def test_killed_at_any_moment_and_run_again_it_ends_as_if_undisturbed(user, mortals):
    dataset = make_dataset(user, studies=9, images=2)
    boxes = [Row(label, box=(1, 2, 3, 4), score=0.5) for label in ("a", "b", "b", "c")]
    images = [image for study in dataset.studies.all() for image in study.images.all()]
    rows = {image: boxes[: number % 5] for number, image in enumerate(images)}
    source = make_annotation_data(dataset, AnnotationType.DETECTION, ("a", "b", "c"), rows)
    choices = {"annotation_type": AnnotationType.MULTI_LABEL, "merge": {"ab": ["a", "b"]}}
    calm = convert(annotation_data=source, by=user, name="calm", **choices)
    assert work(mortals, calm) == 0
    expected = end_state(calm)
    assert expected[0][0] == AnnotationDataStatus.AVAILABLE

    wild = convert(annotation_data=source, by=user, name="wild", **choices)
    choice = random.Random(11)
    for _kill in range(KILLS):
        assert work(mortals, wild, moment=choice.randint(1, 40)) == -signal.SIGKILL
        Derivation.objects.filter(annotation_data=wild).update(attempts=0)
    assert work(mortals, wild) == 0
    assert end_state(wild) == expected
    assert recount_all() == 0
    assert Notification.objects.filter(user=user).count() == 2
