"""What is done to accounts, and the two ways other rooms reach people: a notification, an audit event."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .models import AuditEvent, Notification, ServiceToken, User


def notify(*, user: User, kind: str, text: str, url: str = "") -> None:
    """Leave a notification for ``user``."""
    Notification.objects.create(user=user, kind=kind, text=text[:300], url=url)


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


def issue_token(*, user: User, name: str) -> str:
    """Return a new API key for ``user``; it cannot be read again."""
    token, key = ServiceToken.objects.issue(user=user, name=name)
    record(actor=user, action="token.issued", target=token)
    return key


def revoke_token(*, token: ServiceToken, by: User) -> None:
    """The key stops working at once."""
    ServiceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    record(actor=by, action="token.revoked", target=token)
