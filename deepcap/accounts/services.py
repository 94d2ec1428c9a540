"""What is done to accounts, and the two ways other rooms reach people: a notification, an audit event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from .models import AuditEvent, Notification, ServiceToken, User
from .tasks import send_mail_to


def notify(*, user: User, kind: str, text: str, url: str = "", by_mail: str = "") -> None:
    """Leave a notification for ``user``.

    ``by_mail`` is a sentence for an e-mail, which leaves the house: it names no patient, study, dataset or project. All
    that one transaction has for a person goes into one mail, after it has been committed.
    """
    to_mail = by_mail[:300] if user.email and user.is_active else ""
    Notification.objects.create(user=user, kind=kind, text=text[:300], url=url, to_mail=to_mail)
    if to_mail:
        send_mail_to.delay_on_commit(user.pk)


def mark_notifications_read(*, user: User, up_to: int) -> None:
    """Mark the notifications of ``user`` as read, from the oldest to the one with the id ``up_to``."""
    Notification.objects.filter(user=user, pk__lte=up_to, read_at=None).update(read_at=timezone.now())


def record(*, actor: User | None, action: str, target: models.Model, name: str = "", **details: object) -> None:
    """Append to the audit log; call it in the transaction that does what it records."""
    AuditEvent.objects.create(
        actor=actor,
        actor_name=actor.username if actor else "",
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_name=(name or str(target))[:300],
        details=details,
    )


@transaction.atomic
def issue_token(
    *, user: User, name: str, days: int | None = None, by: User | None = None, scopes: Sequence[str] = ()
) -> str:
    """Return a new API key for ``user``, valid for ``days`` or until it is revoked; it cannot be read again.

    ``by`` is who issued it, if not the user. With ``scopes`` it reads what the user sees and writes only what services
    of these kinds write; without, it may do all that the user may.
    """
    expires_at = timezone.now() + timedelta(days=days) if days else None
    token, key = ServiceToken.objects.issue(user=user, name=name, expires_at=expires_at, scopes=scopes)
    limits = {"scopes": list(scopes)} if scopes else {}
    record(actor=by or user, action="token.issued", target=token, user=user.username, **limits)
    return key


@transaction.atomic
def revoke_token(*, token: ServiceToken, by: User) -> None:
    """The key stops working at once."""
    ServiceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    record(actor=by, action="token.revoked", target=token)
