"""Who is told when something is deleted that they work on, have asked for, or own: everybody but who deletes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from annotations.models import AnnotationData
from datasets.models import Dataset
from deepcap.accounts.models import User
from deepcap.accounts.services import notify
from usage.models import AnnotationJob, AnnotationProject, InferenceJob, TrainingTask
from usage.under import Table

from .rules import dataset_of

PEOPLE_TOLD = 1_000


class Word(NamedTuple):
    """What a person is told; ``by_mail`` names nothing that is somebody's."""

    user_id: int
    kind: str
    text: str
    by_mail: str


def tell_people(target: models.Model, rows: Mapping[Table, models.QuerySet], *, by: User) -> None:
    """Leave word with the people affected when ``target`` and ``rows`` under it go: once for each thing of theirs."""
    words = dict.fromkeys(word for word in _words(target, rows, by=by) if word.user_id != by.pk)
    told = list(islice(words, PEOPLE_TOLD))
    people = User.objects.in_bulk({word.user_id for word in told})
    for word in told:
        if word.user_id in people:
            notify(user=people[word.user_id], kind=word.kind, text=word.text, by_mail=word.by_mail)


def _words(target: models.Model, rows: Mapping[Table, models.QuerySet], *, by: User) -> Iterator[Word]:
    yield from _to_owner(target)
    if (projects := rows.get(AnnotationProject)) is not None:
        members = projects.exclude(members=None).order_by("members__user", "name")
        for user_id, name in members.values_list("members__user", "name").distinct()[:PEOPLE_TOLD]:
            text = _("The project %(name)s was deleted, and your jobs in it.") % {"name": name}
            by_mail = _("An annotation project that you work in was deleted, and your jobs in it.")
            yield Word(user_id, "annotationproject.deleted", text, by_mail)
    if isinstance(target, AnnotationJob) and target.assignee_id is not None:
        text = _("Your job in the project %(name)s was deleted.") % {"name": target.project.name}
        yield Word(target.assignee_id, "annotationjob.deleted", text, _("An annotation job of yours was deleted."))
    yield from _to_askers(rows)


def _to_owner(target: models.Model) -> Iterator[Word]:
    owner_id = _dataset_of(target).owner_id
    words = {"kind": capfirst(str(target._meta.verbose_name)), "name": str(target)}
    text = _("%(kind)s deleted by an operator: %(name)s") % words
    yield Word(owner_id, f"{target._meta.model_name}.deleted", text, _("An operator has deleted something of yours."))


def _to_askers(rows: Mapping[Table, models.QuerySet]) -> Iterator[Word]:
    """Tell those who asked for work that goes, and those whose datasets it was about."""
    if (tasks := rows.get(TrainingTask)) is not None:
        by_mail = _("A training task that you asked for was deleted.")
        for user_id, name in _askers(tasks, "created_by"):
            text = _("The training task %(name)s was deleted.") % {"name": name}
            yield Word(user_id, "trainingtask.deleted", text, by_mail)
    if (inferences := rows.get(InferenceJob)) is not None:
        by_mail = _("An inference job on your data was deleted.")
        for user_id, name in [*_askers(inferences, "created_by"), *_askers(inferences, "dataset__owner")]:
            text = _("The inference job %(name)s was deleted.") % {"name": name}
            yield Word(user_id, "inferencejob.deleted", text, by_mail)


def _askers(rows: models.QuerySet, field: str) -> models.QuerySet:
    named = rows.exclude(**{field: None}).order_by(field, "name")
    return named.values_list(field, "name").distinct()[:PEOPLE_TOLD]


def _dataset_of(target: models.Model) -> Dataset:
    if isinstance(target, Dataset):
        return target
    return target.dataset if isinstance(target, AnnotationData) else dataset_of(target)
