"""Work is claimed by one, held by reporting, and returns when its service falls silent."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from usage.claims import claim_of, return_abandoned
from usage.errors import ClaimLost, WorkEnded
from usage.models import AnnotationProject, InferenceJob, TrainingTask, WorkStatus
from usage.services.training_tasks import Measurement, add_metrics
from usage.services.work import advance, claim_next, fail, finish, heartbeat, stop

from .builders import make_inference, make_labelled, make_project, make_training, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def claim(user, model=TrainingTask, *, key="", service="trainer"):
    return claim_next(rows=model.objects.visible_to(user), by=user, service=service, client_key=key)


def fall_silent(row):
    type(row).objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_oldest_that_waits_is_given_first(user):
    _dataset, data = make_labelled(user)
    tasks = [make_training(data) for _ in range(3)]
    assert [claim(user).pk for _ in tasks] == [task.pk for task in tasks]
    assert claim(user) is None


def test_of_many_claimers_one_wins(user):
    _dataset, data = make_labelled(user)
    tasks = {make_training(data).pk for _ in range(4)}
    won, start = [], threading.Barrier(8)

    def work():
        try:
            start.wait()
            row = claim(user)
            won.append(row and row.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pk for pk in won if pk) == sorted(tasks)
    assert won.count(None) == 4


def test_the_same_key_is_given_the_same_work_while_it_is_held(user):
    _dataset, data = make_labelled(user)
    first, second = make_training(data), make_training(data)
    assert [claim(user, key="worker 1").pk for _ in range(2)] == [first.pk] * 2
    assert claim(user, key="worker 2").pk == second.pk
    assert TrainingTask.objects.get(pk=first.pk).attempts == 1


def test_somebody_elses_work_is_not_given(user, other_user):
    _dataset, data = make_labelled(user)
    make_training(data)
    assert claim(other_user) is None


def test_a_heartbeat_holds_on_and_notes_progress(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim(user)
    TrainingTask.objects.filter(pk=task.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
    assert heartbeat(row=task, claim=claim_of(task), progress=40, detail="epoch 4")
    assert (task.progress, task.status_detail) == (40, "epoch 4")
    assert task.lease_until > timezone.now() + timedelta(seconds=60)


def test_a_report_that_comes_late_holds_on_too_as_long_as_nobody_else_has_the_work(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim(user)
    fall_silent(task)
    task.refresh_from_db()
    add_metrics(training_task=task, by=user, claim=claim_of(task), metrics=[Measurement("loss", 1, 0.5)])
    task.refresh_from_db()
    assert task.lease_until > timezone.now() + timedelta(seconds=60)
    assert claim(user) is None


def test_a_stopped_task_is_told_at_the_next_heartbeat_and_takes_nothing_in(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim(user)
    stop(row=TrainingTask.objects.get(pk=task.pk), by=user)
    assert not heartbeat(row=task, claim=claim_of(task), progress=50)
    with pytest.raises(WorkEnded):
        add_metrics(training_task=task, by=user, claim=claim_of(task), metrics=[Measurement("loss", 1, 0.5)])
    assert TrainingTask.objects.get(pk=task.pk).progress == 0
    assert not task.metrics.exists()


def test_work_whose_service_falls_silent_is_given_to_another_and_the_first_is_refused(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    first = claim(user, service="first")
    fall_silent(first)
    second = claim(user, service="second")
    assert (second.pk, second.attempts, second.claimed_as) == (first.pk, 2, "second")
    with pytest.raises(ClaimLost):
        heartbeat(row=TrainingTask.objects.get(pk=first.pk), claim=claim_of(first))
    with pytest.raises(ClaimLost):
        finish(row=TrainingTask.objects.get(pk=first.pk), by=user, claim=claim_of(first))
    finish(row=second, by=user, claim=claim_of(second))
    assert second.status == WorkStatus.FINISHED


def test_what_kills_every_service_is_given_up(user, settings):
    settings.DEEPCAP_CLAIM_ATTEMPTS = 3
    _dataset, data = make_labelled(user)
    make_training(data)
    for _ in range(3):
        task = claim(user)
        fall_silent(task)
    assert claim(user) is None
    task.refresh_from_db()
    assert task.status == WorkStatus.ERROR
    assert "stopped reporting" in task.status_detail


def test_an_abandoned_project_stays_in_progress_and_is_taken_over(user):
    dataset, _data = make_labelled(user)
    make_project(dataset, publish=True)
    rows = AnnotationProject.objects.managed_by(user)
    project = claim_next(rows=rows, by=user, service="one")
    assert claim_next(rows=rows, by=user, service="two") is None
    fall_silent(project)
    taken = claim_next(rows=rows, by=user, service="two")
    assert (taken.pk, taken.status, taken.claimed_as) == (project.pk, "in_progress", "two")


def test_only_the_claimer_writes_but_the_owner_stops(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim(user)
    with pytest.raises(ClaimLost):
        finish(row=task, by=user)
    with pytest.raises(ClaimLost):
        advance(row=task, by=user, status="finished", claim="training_task/1/nonsense")
    stop(row=task, by=user)
    assert task.status == WorkStatus.STOPPED


def test_the_last_word_repeated_is_no_error(user):
    _dataset, data = make_labelled(user)
    make_training(data)
    task = claim(user)
    for _ in range(2):
        fail(row=TrainingTask.objects.get(pk=task.pk), by=user, claim=claim_of(task), reason="out of memory")
    task.refresh_from_db()
    assert (task.status, task.status_detail) == ("error", "out of memory")
    assert user.notifications.filter(kind="trainingtask.error").count() == 1


def test_inferences_are_claimed_the_same_way(user):
    dataset, data = make_labelled(user)
    job = make_inference(train(make_training(data)), dataset)
    claimed = claim(user, InferenceJob)
    assert (claimed.pk, claimed.status) == (job.pk, WorkStatus.RUNNING)
    fall_silent(claimed)
    assert return_abandoned(InferenceJob) == 1
    claimed.refresh_from_db()
    assert (claimed.status, claimed.lease_until) == (WorkStatus.WAITING, None)
