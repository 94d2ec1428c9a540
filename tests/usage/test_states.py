"""The state machines: what is in the tables happens, what is not is refused with a sentence."""

from __future__ import annotations

import pytest

from usage.claims import move
from usage.errors import TransitionRefused
from usage.models import DELETING, TRANSITIONS, AnnotationJob, AnnotationProject, InferenceJob, TrainingTask
from usage.services.annotation_jobs import create_annotation_job

from .builders import make_inference, make_labelled, make_project, make_training, train

pytestmark = pytest.mark.django_db

CASES = [
    (model, name, source)
    for model, ways in TRANSITIONS.items()
    for name in ways
    for source in dict(model._meta.get_field("status").choices)
]


@pytest.fixture
def rows(user):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    project = make_project(dataset)
    job = create_annotation_job(project=project, by=user, assignee=user, role="annotator")
    return {
        TrainingTask: task,
        InferenceJob: make_inference(task, dataset),
        AnnotationProject: project,
        AnnotationJob: job,
    }


@pytest.mark.parametrize(("model", "name", "source"), CASES)
def test_every_step_from_every_status(rows, model, name, source):
    row, way = rows[model], TRANSITIONS[model][name]
    model.objects.filter(pk=row.pk).update(status=source, finished_at=None)
    if source in way.sources:
        move(row, name)
        assert row.status == way.target
        assert (row.finished_at is not None) == way.ends
    else:
        with pytest.raises(TransitionRefused) as refused:
            move(row, name)
        assert refused.value.status == 409
        assert refused.value.code == "transition_refused"
        assert row.status == source


@pytest.mark.parametrize("model", TRANSITIONS)
def test_nothing_leads_into_or_out_of_deletion(model):
    assert all(DELETING not in (*way.sources, way.target) for way in TRANSITIONS[model].values())


@pytest.mark.parametrize("model", TRANSITIONS)
def test_two_statuses_are_joined_by_one_way_at_most(model):
    ways = [(source, way.target) for way in TRANSITIONS[model].values() for source in way.sources]
    assert len(ways) == len(set(ways))
