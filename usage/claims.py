"""Work handed to services outside: one claimer wins, holds it by reporting, and loses it by falling silent.

The row is the queue. A claim is a conditional UPDATE that leaves a token in the row; the service gets it signed, and
sends it along with all it says about the work. The signature also tells a service whose work was deleted from a
stranger who guesses ids.
"""

from __future__ import annotations

import uuid
from typing import TypeVar

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from deepcap.accounts.models import User

from .errors import ClaimLost, TransitionRefused
from .models import (
    TRANSITIONS,
    AnnotationProject,
    InferenceJob,
    ProjectStatus,
    ServiceWork,
    TrainingTask,
    WorkStatus,
)

ROUNDS = 20
_signer = Signer(salt="usage.claim")
Work = TypeVar("Work", bound=ServiceWork)

TO_BE_CLAIMED = {
    TrainingTask: Q(status=WorkStatus.WAITING),
    InferenceJob: Q(status=WorkStatus.WAITING),
    AnnotationProject: Q(status__in=(ProjectStatus.PUBLISHING, ProjectStatus.IN_PROGRESS)),
}
ON_CLAIM = {TrainingTask: "start", InferenceJob: "start", AnnotationProject: None}


def claim_of(row: ServiceWork) -> str:
    """Return what the service that claimed ``row`` has to show."""
    return _signer.sign(f"{row._meta.model_name}/{row.pk}/{row.claim_token}")


def token_in(claim: str, model: type[ServiceWork], pk: int) -> uuid.UUID:
    """Return the token in a claim on this very row. Raises ClaimLost for any other."""
    try:
        name, number, token = _signer.unsign(claim).split("/")
    except (BadSignature, ValueError):
        raise ClaimLost from None
    if (name, number) != (model._meta.model_name, str(pk)):
        raise ClaimLost
    return uuid.UUID(token)


def claim(rows: QuerySet[Work], *, by: User, service: str, key: str = "") -> Work | None:
    """Give the oldest waiting one of ``rows`` to this service; None when none waits.

    Under the same ``key`` of the same user, a claim that is still held is given again.
    """
    model = rows.model
    return_abandoned(model)
    if key:
        held = rows.filter(claimed_by=by, claim_key=key, lease_until__gte=timezone.now()).order_by("pk").first()
        if held is not None:
            return held
    for _round in range(ROUNDS):
        waiting = rows.filter(TO_BE_CLAIMED[model]).unheld().order_by("pk")
        pk = waiting.values_list("pk", flat=True).first()
        if pk is None:
            return None
        if _take(model, pk, by=by, service=service, key=key):
            return model._base_manager.get(pk=pk)
    return None


def _take(model: type[ServiceWork], pk: int, *, by: User, service: str, key: str) -> bool:
    now = timezone.now()
    values = {
        "claim_token": uuid.uuid4(),
        "claim_key": key,
        "claimed_by": by,
        "claimed_as": service[:100],
        "lease_until": now + settings.DEEPCAP_CLAIM_LEASE,
        "heartbeat_at": now,
        "attempts": F("attempts") + 1,
    }
    if way := ON_CLAIM[model]:
        values |= {"status": TRANSITIONS[model][way].target, "started_at": now, "progress": 0, "status_detail": ""}
    return bool(model.objects.filter(TO_BE_CLAIMED[model], pk=pk).unheld().update(**values))


def held_by(row: ServiceWork, claim: str | None) -> Q:
    """Return the condition under which the bearer of ``claim`` may write to ``row``.

    Work that no service has claimed may be written to without one. Raises ClaimLost when it is plain already.
    """
    if claim:
        token = token_in(claim, type(row), row.pk)
        if row.claim_token != token:
            raise ClaimLost
        return Q(claim_token=token)
    if row.is_held:
        raise ClaimLost
    return Q(lease_until=None) | Q(lease_until__lt=timezone.now())


def extend(row: ServiceWork, claim: str) -> bool:
    """Hold on to ``row``; False when it is not under way any more. Raises ClaimLost."""
    now = timezone.now()
    mine = type(row).objects.filter(held_by(row, claim), pk=row.pk).exclude(lease_until=None)
    return bool(mine.update(lease_until=now + settings.DEEPCAP_CLAIM_LEASE, heartbeat_at=now))


def return_abandoned(model: type[ServiceWork]) -> int:
    """Have work whose service fell silent wait again, or end as an error when that happened too often; return how many.

    A project stays as it is: any annotation service may take it over.
    """
    abandoned = model.objects.abandoned()
    if model is AnnotationProject:
        return abandoned.update(lease_until=None)
    ways = TRANSITIONS[model]
    running = abandoned.filter(status__in=ways["give_back"].sources)
    given_up = running.filter(attempts__gte=settings.DEEPCAP_CLAIM_ATTEMPTS).update(
        status=ways["fail"].target,
        status_detail=_("The services that worked on it stopped reporting, again and again."),
        finished_at=timezone.now(),
        lease_until=None,
    )
    returned = running.update(status=ways["give_back"].target, lease_until=None, claim_key="")
    return given_up + returned


def move(row, name: str, *, condition: Q | None = None, **values: object) -> None:
    """Take ``row`` through the transition ``name``, with ``values`` set, in one conditional UPDATE.

    ``row`` is as it is in the table afterwards. Raises TransitionRefused when it is in no state to do so.
    """
    model = type(row)
    way = TRANSITIONS[model][name]
    if way.ends:
        values |= {"finished_at": timezone.now()}
        if issubclass(model, ServiceWork):
            values |= {"lease_until": None}
    rows = model.objects.filter(condition or Q(), pk=row.pk)
    moved = rows.filter(status__in=way.sources).update(status=way.target, **values)
    row.refresh_from_db()
    if not moved:
        raise refusal(row, way.target)


def refusal(row, target: str) -> TransitionRefused:
    """Return what is said when ``row`` cannot get to the status ``target`` from where it is."""
    labels = dict(type(row)._meta.get_field("status").choices)
    sentence = _("%(name)s is “%(source)s”: it cannot become “%(target)s”.")
    words = {"name": row, "source": labels.get(row.status, row.status), "target": labels.get(target, target)}
    return TransitionRefused(sentence % words)
