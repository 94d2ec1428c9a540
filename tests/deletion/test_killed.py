"""A deletion whose workers are killed again and again ends as one that nobody disturbed."""

from __future__ import annotations

import math
import random
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.blobs.store import get_store
from datasets.deletion import run
from datasets.deletion.erase import erase
from datasets.models import Dataset, Deletion, DeletionStage, UploadState
from datasets.services.deletions import delete_dataset
from tests.mortals import Mortals

from .build import add_upload, make_dataset, make_rows
from .test_work import assert_nothing_is_left

pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True), pytest.mark.postgres]

IMAGES = 40


def prepare(user, *, name: str) -> Deletion:
    """A dataset of its own bytes, always of the same sizes, that is asked to go."""
    dataset = make_dataset(user, contents=[f"{name} {number:03d}".encode() for number in range(IMAGES)], name=name)
    get_store().put(f"uploads/{name}", b"a zip")
    add_upload(dataset, size=5, state=UploadState.COMPLETE, key=f"uploads/{name}")
    return delete_dataset(dataset=dataset, by=user, confirmation="DELETE")


def work(mortals: Mortals, deletion: Deletion, *, moment: int = 0) -> int:
    """Run the deletion in a process of its own, killed at ``moment``; return its exit status."""
    return mortals.run("tests.deletion.killed", deletion.pk, moment)


def run_out_of_lease(deletion: Deletion) -> None:
    Deletion.objects.filter(pk=deletion.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def outcome(deletion: Deletion) -> dict[str, object]:
    deletion.refresh_from_db()
    fields = ("stage", "state", "counts", "objects_removed", "bytes_removed", "lease_token")
    return {field: getattr(deletion, field) for field in fields}


def test_killed_at_any_moment_and_run_again_it_ends_as_if_undisturbed(user, mortals):
    kept = make_rows(user, images=3, name="kept")
    undisturbed = prepare(user, name="calm")
    run(undisturbed.pk)
    moments = random.Random(1)
    deletion = prepare(user, name="wild")

    for _ in range(6):
        status = work(mortals, deletion, moment=moments.randint(1, 30))
        assert status == -signal.SIGKILL
        run_out_of_lease(deletion)
    assert outcome(deletion) != outcome(undisturbed)
    assert work(mortals, deletion) == 0

    assert outcome(deletion) == outcome(undisturbed)
    assert deletion.attempts == 7
    assert list(Dataset.objects.all()) == [kept]
    assert list(get_store().keys()) == []
    kept_deletion = delete_dataset(dataset=kept, by=user, confirmation="DELETE")
    run(kept_deletion.pk)
    assert_nothing_is_left(get_store())


def test_killed_while_objects_are_removed_it_counts_each_of_them_once(user, mortals):
    undisturbed = prepare(user, name="calm")
    run(undisturbed.pk)
    deletion = Deletion.objects.claim(prepare(user, name="wild").pk)
    erase(deletion, until=math.inf)
    deletion.extend_lease(stage=DeletionStage.OBJECTS)

    for moment in range(1, 100, 14):
        run_out_of_lease(deletion)
        if work(mortals, deletion, moment=moment) == 0:
            break

    assert deletion.attempts < Deletion.objects.get(pk=deletion.pk).attempts - 3
    assert outcome(deletion) == outcome(undisturbed)
    assert_nothing_is_left(get_store())
