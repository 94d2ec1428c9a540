"""People, the tokens of services that act for them, what they are told, and what was done."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who signs in. Superusers see every dataset; staff reach the operators' admin."""

    storage_quota_bytes = models.BigIntegerField(
        _("storage quota (bytes)"),
        null=True,
        blank=True,
        help_text=_("Empty: the default quota of this installation."),
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(storage_quota_bytes=None) | models.Q(storage_quota_bytes__gte=0),
                name="a_storage_quota_is_not_negative",
            ),
        ]

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        words = self.display_name.replace(".", " ").replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper()


class Scope(models.TextChoices):
    """What a service is for. With scopes, its token reads what its user sees and writes only there."""

    ANNOTATION = "annotation", _("Annotation service")
    TRAINING = "training", _("Training service")
    INFERENCE = "inference", _("Inference service")


class ServiceTokenQuerySet(models.QuerySet["ServiceToken"]):
    def issue(
        self, *, user: User, name: str, expires_at: datetime | None = None, scopes: Sequence[str] = ()
    ) -> tuple[ServiceToken, str]:
        """Make a token; the key is returned this once and only its digest is kept."""
        key = secrets.token_urlsafe(32)
        values = {"digest": digest(key), "hint": key[:4], "expires_at": expires_at, "scopes": list(scopes)}
        return self.create(user=user, name=name, **values), key

    def usable(self) -> ServiceTokenQuerySet:
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(unexpired, revoked_at=None, user__is_active=True)


class ServiceToken(models.Model):
    """A key with which a service calls the API on behalf of a user."""

    user = models.ForeignKey(User, models.CASCADE, related_name="service_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=4, editable=False, help_text=_("The first characters of the key."))
    scopes = models.JSONField(default=list, blank=True, help_text=_("Empty: all that its user may do."))
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


def digest(key: str) -> str:
    """Digest of a token's key. Keys are 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class Notification(models.Model):
    """Something that ended while the person was elsewhere."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=50)
    text = models.CharField(max_length=300)
    url = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    to_mail = models.CharField(
        max_length=300, blank=True, db_default="", help_text=_("What is still to be said of it by e-mail.")
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notification_newest"),
            models.Index(fields=["user"], condition=~models.Q(to_mail=""), name="notification_to_be_mailed"),
        ]

    def __str__(self) -> str:
        return self.text


class AuditEvent(models.Model):
    """One thing that somebody did. Written once; outlives the objects and the people it names."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=60, db_index=True, help_text=_("For example dataset.deleted"))
    target_type = models.CharField(max_length=60)
    target_id = models.CharField(max_length=40)
    target_name = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["target_type", "target_id"], name="audit_of_a_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_name or self.target_id}"

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise ValidationError("The audit log is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise ValidationError("The audit log is append-only.")
