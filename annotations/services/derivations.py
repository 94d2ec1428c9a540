"""What people make of annotation data they have: another type, labels merged, some of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.derive import make_plan
from annotations.importing.creation import NAME_LENGTH, create
from annotations.models import AnnotationData, AnnotationDataStatus, Derivation, Operation, SourceKind
from annotations.tasks import run_derivation
from datasets.errors import ValueRefused, WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record

from .annotation_data import require_owner


def convert(
    *,
    annotation_data: AnnotationData,
    by: User,
    annotation_type: str,
    name: str,
    labels: Sequence[str] | None = None,
    merge: Mapping[str, Sequence[str]] | None = None,
) -> AnnotationData:
    """Have new annotation data made from ``annotation_data``, and return them while they are being made.

    They are called "name (2)" … if the name is taken. ``labels`` are kept under their own names, by default all that
    are not merged; ``merge`` is {new: [old, …]}. Where the type stays, boxes and masks stay as they are, but masks that
    stand for a whole class are united. Raises NotTheOwner, WrongState, ValueRefused and ConversionRefused.
    """
    dataset = annotation_data.dataset
    require_owner(annotation_data, by=by)
    if annotation_data.status != AnnotationDataStatus.AVAILABLE:
        raise WrongState(_("These annotation data are not available."))
    name = name.strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise ValueRefused("name", _("Give a name of at most %(most)d characters.") % {"most": NAME_LENGTH})
    plan = make_plan(
        source_type=annotation_data.annotation_type,
        annotation_type=annotation_type,
        names=list(annotation_data.labels.order_by("position").values_list("name", flat=True)),
        labels=labels,
        merge=merge,
    )
    with transaction.atomic():
        made = create(
            dataset=dataset,
            name=name,
            by=by,
            annotation_type=plan.annotation_type,
            source_kind=SourceKind.CONVERTED,
            source_detail={"name": annotation_data.name, "id": annotation_data.pk},
        )
        derivation = Derivation.objects.create(
            annotation_data=made,
            source=annotation_data,
            operation=Operation.MERGE if plan.annotation_type == annotation_data.annotation_type else Operation.CONVERT,
            options={"pairs": plan.pairs},
            requested_by=by,
            sent_at=timezone.now(),
        )
        record(
            actor=by,
            action="annotation_data.converted",
            target=made,
            source=annotation_data.pk,
            annotation_type=plan.annotation_type,
        )
        run_derivation.delay_on_commit(derivation.pk)
    return made


def progress_of(annotation_data: AnnotationData) -> dict[str, Any] | None:
    """Return stage, done and total (images) of annotation data that are being made from others, otherwise None."""
    derivation = Derivation.objects.select_related("source").filter(annotation_data=annotation_data).first()
    if derivation is None or annotation_data.status != AnnotationDataStatus.IMPORTING:
        return None
    total = derivation.source.image_count if derivation.source else 0
    done = min(derivation.options.get("next", 0), total)
    return {"stage": "converting", "done": done, "total": total, "eta_seconds": None}
