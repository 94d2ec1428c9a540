"""What services and owners do to work under way, the same for every kind: claim, report, finish, fail, stop."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from deepcap.accounts.models import User
from deepcap.accounts.services import notify, record
from usage import claims
from usage.claims import ClaimLost, held_by, move, refusal
from usage.errors import WorkEnded
from usage.models import (
    DELETING,
    TRANSITIONS,
    AnnotationJob,
    AnnotationProject,
    InferenceJob,
    JobStatus,
    ServiceWork,
    transition_to,
)

from .evaluations import order_evaluation
from .rules import require_owner, require_worker


def claim_next(*, rows: QuerySet, by: User, service: str, client_key: str = "") -> ServiceWork | None:
    """Give this service the oldest work in ``rows`` that waits, under a lease; None when there is none.

    One claimer wins. Asked again under the same ``client_key``, the same work is given as long as it is held.
    """
    return claims.claim(rows, by=by, service=service, key=client_key)


def heartbeat(*, row: ServiceWork, claim: str, progress: int | None = None, detail: str | None = None) -> bool:
    """Hold on to the work and note its progress; False when it was stopped or has ended: the service is to leave off.

    Raises ClaimLost.
    """
    if not claims.extend(row, claim):
        return False
    said = {"progress": progress, "status_detail": detail[:500] if detail is not None else None}
    values = {name: value for name, value in said.items() if value is not None and hasattr(row, name)}
    if values:
        type(row).objects.filter(held_by(row, claim), pk=row.pk).exclude(lease_until=None).update(**values)
    row.refresh_from_db()
    return True


def was_mine(*, model: type[ServiceWork], pk: int, claim: str) -> bool:
    """Tell whether this is a claim on the row ``pk``, which does not exist any more."""
    try:
        claims.token_in(claim, model, pk)
    except ClaimLost:
        return False
    return True


def hold_for_report(row: ServiceWork, *, by: User, claim: str | None) -> None:
    """Lock work that is under way for its service, and note that it has reported; call it in a transaction.

    Raises NotTheOwner, ClaimLost, and WorkEnded when it was stopped, has ended, or has not begun.
    """
    require_owner(row, by)
    condition = held_by(row, claim)
    way = TRANSITIONS[type(row)]["finish"]
    now = timezone.now()
    lease = {"lease_until": now + settings.DEEPCAP_CLAIM_LEASE} if claim or row.is_held else {}
    running = type(row).objects.filter(condition, pk=row.pk, status__in=way.sources)
    if not running.update(heartbeat_at=now, **lease):
        row.refresh_from_db()
        held_by(row, claim)
        raise WorkEnded(_("This is “%(status)s”: nothing is taken in.") % {"status": row.get_status_display()})


def report(*, row: ServiceWork, by: User, claim: str | None = None, **values: object) -> None:
    """Set ``values`` of work that is under way, by its service. Raises NotTheOwner, ClaimLost, and WorkEnded."""
    with transaction.atomic():
        hold_for_report(row, by=by, claim=claim)
        type(row).objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()


def change(
    *,
    row: ServiceWork,
    by: User,
    status: str | None = None,
    detail: str | None = None,
    claim: str | None = None,
    **values: object,
) -> None:
    """Advance ``row`` when ``status`` is another than it has; otherwise note the rest while it is under way."""
    if status is not None and status != row.status:
        advance(row=row, by=by, status=status, claim=claim, detail=detail, **values)
        return
    if detail is not None:
        values["status_detail"] = detail[:500]
    if values and status is not None and status == row.status and row.finished_at is not None:
        advance(row=row, by=by, status=status, claim=claim)  # the last word, repeated
    elif values:
        report(row=row, by=by, claim=claim, **values)
    elif status is not None:
        advance(row=row, by=by, status=status, claim=claim)


def advance(
    *, row, by: User, status: str, claim: str | None = None, detail: str | None = None, **values: object
) -> None:
    """Take ``row`` to ``status``, with ``values`` set in the same statement.

    To stop and to resume are the owner's; all other steps are those of the service that has claimed it, or of anybody
    who may write to it while no service has. The last word repeated is no error. Raises TransitionRefused, ClaimLost,
    NotTheOwner.
    """
    require_worker(row, by)
    if status == row.status and (claim is None or held_by(row, claim)):
        return
    way = transition_to(type(row), row.status, status)
    if way is None or status == DELETING:
        raise refusal(row, status)
    if way.name == "resume":
        require_owner(row, by)
    if way.name == "stop":
        stop(row=row, by=by, detail=detail or "")
        return
    if detail is not None:
        values["status_detail"] = detail[:500]
    if way.name == "start":
        values |= {"started_at": timezone.now()}
    if way.name == "publish":
        values |= {"published_at": timezone.now()}
    if way.name == "finish" and hasattr(row, "progress"):
        values["progress"] = 100
    if way.name == "give_back":
        values |= {"lease_until": None, "claim_key": ""}
    condition = held_by(row, claim) if isinstance(row, ServiceWork) else Q()
    with transaction.atomic():
        move(row, way.name, condition=condition, **values)
        if way.ends:
            _end_jobs(row)
        if way.name == "finish" and isinstance(row, InferenceJob):
            order_evaluation(row)
        record(actor=by, action=f"{row._meta.model_name}.{way.name}", target=row)
        if way.ends:
            _tell(row)


def finish(*, row, by: User, claim: str | None = None, **values: object) -> None:
    """The work is done. Raises TransitionRefused, and ClaimLost."""
    target = TRANSITIONS[type(row)]["finish"].target
    advance(row=row, by=by, status=target, claim=claim, **values)


def fail(*, row, by: User, reason: str, claim: str | None = None) -> None:
    """The work ends with a reason that its owner can read. Raises TransitionRefused, and ClaimLost."""
    target = TRANSITIONS[type(row)]["fail"].target
    advance(row=row, by=by, status=target, claim=claim, detail=reason)


@transaction.atomic
def stop(*, row, by: User, detail: str = "") -> None:
    """End work for good at its owner's word; its service is told at its next heartbeat. A project's jobs stop with it.

    Raises NotTheOwner, and TransitionRefused.
    """
    require_owner(row, by)
    move(row, "stop", status_detail=detail[:500])
    _end_jobs(row)
    record(actor=by, action=f"{row._meta.model_name}.stop", target=row)


def _end_jobs(row) -> None:
    """Nobody works on in a project that has ended."""
    if isinstance(row, AnnotationProject):
        jobs = AnnotationJob.objects.filter(project=row, status=JobStatus.ONGOING)
        jobs.update(status=JobStatus.STOPPED, finished_at=timezone.now())


def _tell(row) -> None:
    """Leave word with who had asked for the work."""
    creator = getattr(row, "created_by", None)
    if creator is not None:
        words = {"name": row.name, "status": row.get_status_display()}
        kind = f"{row._meta.model_name}.{row.status}"
        notify(user=creator, kind=kind, text=_("%(name)s: %(status)s") % words)
