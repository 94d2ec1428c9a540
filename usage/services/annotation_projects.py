"""Making, publishing and editing annotation projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import AnnotationData, AnnotationType
from datasets.errors import ValueRefused
from datasets.models import Dataset
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.counting import count
from usage.models import (
    AnnotationProject,
    JobRole,
    MemberState,
    ProjectAnnotationData,
    ProjectMember,
    ProjectStatus,
    ValidationMethod,
)
from usage.progress import count_project
from usage.under import Counted, counted_by

from .annotation_jobs import UNDER_WAY, make_jobs
from .rules import clean_name, hold_dataset, require_owner, require_ownership
from .work import advance, change

LABEL_LENGTH = 100


class Member(NamedTuple):
    """A person and what they do in a project."""

    user: User
    role: str


@transaction.atomic
def create_annotation_project(
    *,
    dataset: Dataset,
    by: User,
    name: str,
    annotation_types: Sequence[Mapping[str, Any]],
    members: Sequence[Member] = (),
    instruction: str = "",
    validation_method: str = ValidationMethod.REVIEWER,
    annotators_per_study: int | None = None,
    review_percentage: int = 100,
    annotation_data: Sequence[AnnotationData] = (),
    annotation_due: date | None = None,
    review_due: date | None = None,
    finish_on: date | None = None,
) -> AnnotationProject:
    """Return a project that waits to be published: by :func:`publish_project`, or by an annotation service.

    Raises NotTheOwner, NotUsable, and ValueRefused for what does not go together: no annotation type or label, a number
    of annotators that the validation method does not allow, annotation data of another dataset.
    """
    require_ownership(dataset, by)
    single = validation_method == ValidationMethod.REVIEWER
    per_study = annotators_per_study or (1 if single else 2)
    types = clean_types(annotation_types)
    _check_annotators(single=single, per_study=per_study, members=members)
    if any(data.dataset_id != dataset.pk for data in annotation_data):
        message = _("These annotation data belong to another dataset.")
        raise ValueRefused("annotation_data", message, code="annotation_data_mismatch")
    hold_dataset(dataset)
    project = AnnotationProject.objects.create(
        dataset=dataset,
        name=clean_name(name),
        instruction=instruction.strip(),
        annotation_types=types,
        validation_method=validation_method,
        annotators_per_study=per_study,
        review_percentage=review_percentage,
        annotation_due=annotation_due,
        review_due=review_due,
        finish_on=finish_on,
        study_count=dataset.study_count,
        created_by=by,
    )
    ProjectMember.objects.bulk_create(
        (ProjectMember(project=project, user=member.user, role=member.role) for member in dict.fromkeys(members)),
    )
    ProjectAnnotationData.objects.bulk_create(
        ProjectAnnotationData(project=project, annotation_data=data) for data in dict.fromkeys(annotation_data)
    )
    count(counted_by(project))
    record(actor=by, action="annotationproject.created", target=project, dataset=dataset.pk)
    return project


def publish_project(*, project: AnnotationProject, by: User, claim: str | None = None) -> AnnotationProject:
    """Share the studies out among the members, where that has not been done, and begin.

    Killed at any line and done again, it ends the same. Raises NotTheOwner, TransitionRefused, ClaimLost.
    """
    require_owner(project, by)
    if project.status == ProjectStatus.PUBLISHING:
        make_jobs(project)
        with transaction.atomic():
            count_project(project)
            count(Counted(frozenset({project.dataset_id}), frozenset(), projects=frozenset({project.pk})))
    advance(row=project, by=by, status=ProjectStatus.IN_PROGRESS, claim=claim)
    project.refresh_from_db()
    return project


@transaction.atomic
def edit_annotation_project(*, project: AnnotationProject, by: User, **changes: Any) -> AnnotationProject:
    """Change the name, the instruction or the schedule. Raises NotTheOwner, and ValueRefused."""
    require_owner(project, by)
    editable = {"name", "instruction", "annotation_due", "review_due", "finish_on"}
    if unknown := changes.keys() - editable:
        raise TypeError(f"A project's {', '.join(sorted(unknown))} cannot be edited.")
    if "name" in changes:
        changes["name"] = clean_name(changes["name"])
    AnnotationProject.objects.filter(pk=project.pk).update(**changes)
    record(actor=by, action="annotationproject.edited", target=project, changed=sorted(changes))
    project.refresh_from_db()
    return project


def clean_types(annotation_types: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return annotation types with their labels, each once. Raises ValueRefused."""
    cleaned: dict[str, dict[str, Any]] = {}
    for entry in annotation_types:
        kind = entry.get("annotation_type")
        if kind not in AnnotationType.values or kind in cleaned:
            message = _("Each annotation type is named once, and is one of: %(types)s.")
            words = {"types": ", ".join(AnnotationType.values)}
            raise ValueRefused("annotation_types", message % words, code="annotation_type_invalid")
        labels = list(dict.fromkeys(str(label).strip() for label in entry.get("labels", ())))
        if not labels or not all(0 < len(label) <= LABEL_LENGTH for label in labels):
            message = _("An annotation type needs labels, of at most %(most)d characters each.")
            raise ValueRefused("annotation_types", message % {"most": LABEL_LENGTH}, code="labels_invalid")
        cleaned[kind] = {"annotation_type": kind, "labels": labels}
    if not cleaned:
        raise ValueRefused("annotation_types", _("At least one annotation type is needed."), code="labels_invalid")
    return list(cleaned.values())


def _check_annotators(*, single: bool, per_study: int, members: Sequence[Member]) -> None:
    if single and per_study != 1:
        message = _("When reviewers validate, one annotator works on each study.")
        raise ValueRefused("annotators_per_study", message, code="annotators_invalid")
    if not single and not 2 <= per_study <= 5:
        message = _("Validation by DSV needs 2 to 5 annotators for each study.")
        raise ValueRefused("annotators_per_study", message, code="annotators_invalid")
    annotators = {member.user.pk for member in members if member.role == JobRole.ANNOTATOR}
    if members and len(annotators) < per_study:
        message = _("The project needs at least %(least)d annotators.") % {"least": per_study}
        raise ValueRefused("members", message, code="annotators_missing")


@transaction.atomic
def set_member_state(*, member: ProjectMember, by: User, state: str) -> ProjectMember:
    """Suspend a member, have them go on, or remove them for good; their jobs stop or resume with it.

    Raises NotTheOwner, and ValueRefused for somebody who was removed.
    """
    require_owner(member.project, by)
    project = AnnotationProject.objects.select_for_update(no_key=True).get(pk=member.project_id)
    changed = ProjectMember.objects.filter(pk=member.pk).exclude(state=MemberState.REMOVED).update(state=state)
    if not changed:
        raise ValueRefused("state", _("Who was removed from a project cannot come back."), code="member_removed")
    jobs = member.project.jobs.filter(assignee=member.user_id, role=member.role)
    if state == MemberState.ACTIVE:
        if project.status in UNDER_WAY:
            jobs.filter(status="stopped").update(status="ongoing", finished_at=None)
    else:
        jobs.filter(status="ongoing").update(status="stopped")
    record(actor=by, action="annotationproject.member_changed", target=member.project, user=member.user_id, state=state)
    member.refresh_from_db()
    return member


def change_annotation_project(
    *,
    project: AnnotationProject,
    by: User,
    status: str | None = None,
    status_detail: str | None = None,
    claim: str | None = None,
) -> AnnotationProject:
    """Publish a project, or take it to another status. Raises what ``work.advance`` and ``work.report`` raise."""
    if status == ProjectStatus.IN_PROGRESS:
        return publish_project(project=project, by=by, claim=claim)
    change(row=project, by=by, status=status, detail=status_detail, claim=claim)
    return project
