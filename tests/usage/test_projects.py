"""Projects: what goes together, how studies are shared out, how far they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotations.models import AnnotationType
from datasets.models import Study
from deepcap.accounts.models import User
from deepcap.common.errors import DomainError
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset
from usage.models import AnnotationProject, JobStudy
from usage.progress import count_project
from usage.services.annotation_jobs import create_annotation_job, set_study_states
from usage.services.annotation_projects import publish_project, set_member_state
from usage.services.work import finish

from .builders import make_labelled, make_project

STATES = ("remaining", "saved", "returned", "finished", "excluded")


def people(number):
    first = User.objects.count()
    return [User.objects.create_user(f"person {first + n}") for n in range(number)]


def bare_dataset(owner, studies):
    """Return a dataset of studies without images: sharing out looks at studies alone."""
    dataset = make_dataset(owner, study_count=studies, image_count=studies, status="available")
    Study.objects.bulk_create(Study(dataset=dataset, key=str(n), name=str(n), position=n) for n in range(studies))
    return dataset


class SharingOut(TestCase):
    @given(studies=st.integers(1, 60), copies=st.integers(2, 5), more=st.integers(0, 3))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_each_study_goes_to_as_many_annotators_as_asked_and_shares_are_even(self, studies, copies, more):
        [owner] = people(1)
        annotators = people(copies + more)
        dataset = bare_dataset(owner, studies)
        project = make_project(
            dataset, annotators=annotators, validation_method="dsv", annotators_per_study=copies, publish=True
        )
        rows = JobStudy.objects.filter(job__project=project)
        assert set(Counter(rows.values_list("study", flat=True)).values()) == {copies}
        assert Counter(rows.values_list("study", flat=True)).keys() == set(dataset.studies.values_list("pk", flat=True))
        shares = list(project.jobs.values_list("study_count", flat=True))
        assert sum(shares) == studies * copies
        assert max(shares) - min(shares) <= copies
        before = sorted(rows.values_list("job", "study"))
        AnnotationProject.objects.filter(pk=project.pk).update(status="publishing")
        publish_project(project=AnnotationProject.objects.get(pk=project.pk), by=owner)
        assert sorted(rows.values_list("job", "study")) == before

    @given(studies=st.sampled_from([100, 200]), percentage=st.integers(0, 100), reviewers=st.integers(1, 10))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_reviewers_share_the_percentage_that_is_sampled(self, studies, percentage, reviewers):
        [owner, annotator] = people(2)
        dataset = bare_dataset(owner, studies)
        project = make_project(
            dataset,
            annotators=[annotator],
            reviewers=people(reviewers),
            review_percentage=percentage,
            publish=True,
        )
        reviewed = JobStudy.objects.filter(job__project=project, job__role="reviewer").values_list("study", flat=True)
        assert len(reviewed) == len(set(reviewed)) == studies * percentage // 100
        assert project.review_count == len(reviewed)
        shares = list(project.jobs.filter(role="reviewer").values_list("study_count", flat=True))
        assert max(shares) - min(shares) <= 1

    @given(
        steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from(STATES)), max_size=30),
    )
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_counts_are_those_of_the_states_whatever_happens(self, steps):
        [owner, *annotators] = people(3)
        dataset = bare_dataset(owner, 6)
        project = make_project(
            dataset, annotators=annotators, validation_method="dsv", annotators_per_study=2, publish=True
        )
        jobs, studies = list(project.jobs.order_by("pk")), list(dataset.studies.values_list("pk", flat=True))
        states = {}
        for place, study, state in steps:
            states[place, study] = state
            job = set_study_states(job=jobs[place], by=owner, states={studies[study]: state})
            done = [states.get((place, number)) in ("finished", "excluded") for number in range(6)]
            assert (job.finished_count, job.status == "finished") == (sum(done), all(done))
        project.refresh_from_db()
        both = [all(states.get((place, number)) in ("finished", "excluded") for place in (0, 1)) for number in range(6)]
        assert project.annotated_count == sum(both)
        count_project(project)
        assert AnnotationProject.objects.get(pk=project.pk).annotated_count == sum(both)


pytestmark = pytest.mark.django_db


def refused(**fields):
    with pytest.raises(DomainError) as refusal:
        make_project(**fields)
    return refusal.value.code


def test_what_does_not_go_together_is_refused(user, other_user):
    dataset, _data = make_labelled(user)
    elsewhere = make_annotation_data(make_dataset(user, studies=1))
    kind = AnnotationType.DETECTION
    assert refused(dataset=dataset, annotation_types=[]) == "labels_invalid"
    assert refused(dataset=dataset, annotation_types=[{"annotation_type": kind, "labels": [" "]}]) == "labels_invalid"
    twice = [{"annotation_type": kind, "labels": ["a"]}] * 2
    assert refused(dataset=dataset, annotation_types=twice) == "annotation_type_invalid"
    assert refused(dataset=dataset, annotators_per_study=3) == "annotators_invalid"
    assert refused(dataset=dataset, validation_method="dsv", annotators_per_study=1) == "annotators_invalid"
    assert refused(dataset=dataset, validation_method="dsv", annotators=[other_user]) == "annotators_missing"
    assert refused(dataset=dataset, annotation_data=[elsewhere]) == "annotation_data_mismatch"
    assert refused(dataset=dataset, name="  ") == "name_invalid"
    assert not AnnotationProject.objects.exists()


def test_who_was_removed_does_not_come_back(user, other_user):
    dataset, _data = make_labelled(user)
    project = make_project(dataset, annotators=[other_user], publish=True)
    member, job = project.members.get(), project.jobs.get()
    set_member_state(member=member, by=user, state="suspended")
    job.refresh_from_db()
    assert job.status == "stopped"
    set_member_state(member=member, by=user, state="active")
    job.refresh_from_db()
    assert job.status == "ongoing"
    set_member_state(member=member, by=user, state="removed")
    assert not AnnotationProject.objects.visible_to(other_user).exists()
    with pytest.raises(DomainError) as refusal:
        set_member_state(member=member, by=user, state="active")
    assert refusal.value.code == "member_removed"
    with pytest.raises(DomainError) as refusal:
        create_annotation_job(project=project, by=user, assignee=other_user, role="annotator")
    assert refusal.value.code == "member_removed"


def test_a_project_that_ends_ends_its_jobs(user, other_user):
    dataset, _data = make_labelled(user)
    project = make_project(dataset, annotators=[other_user], publish=True)
    job = project.jobs.get()
    finish(row=project, by=user)
    job.refresh_from_db()
    assert (project.status, job.status) == ("finished", "stopped")
    with pytest.raises(DomainError) as refusal:
        set_study_states(job=job, by=other_user, states={})
    assert refusal.value.code == "work_ended"


def test_nobody_works_on_in_a_project_that_has_ended(user, other_user):
    dataset, _data = make_labelled(user)
    project = make_project(dataset, annotators=[other_user], publish=True)
    member, job = project.members.get(), project.jobs.get()
    set_member_state(member=member, by=user, state="suspended")
    finish(row=project, by=user)
    assert set_member_state(member=member, by=user, state="active").state == "active"
    job.refresh_from_db()
    assert job.status == "stopped"
