"""Work that stands in a row: one conditional UPDATE claims it, a lease bounds how long a dead worker can hold it.

A message in the broker is only a hint that such a row exists. Whoever finishes must still hold the token it was given;
a worker that lost its lease finds out at that moment, and its results are rolled back.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LeaseLost(Exception):
    """Somebody else holds this row now, or it was cancelled: stop, and write nothing more."""


class Heartbeat:
    """May be called as often as one likes: ``beat``, which extends a lease, is called in every quarter of one."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._period = settings.DEEPCAP_LEASE.total_seconds() / 4
        self._due = time.monotonic() + self._period

    def __call__(self) -> None:
        if time.monotonic() >= self._due:
            self._beat()
            self._due = time.monotonic() + self._period


class WorkState(models.TextChoices):
    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


class LeasedQuerySet(models.QuerySet):
    def claimable(self) -> Self:
        """Select what nobody works on: pending, or running under a lease that has run out."""
        return self.filter(
            Q(state=WorkState.PENDING) | Q(state=WorkState.RUNNING, lease_until__lt=timezone.now()),
        )

    def claim(self, pk: int, *, lease: timedelta | None = None):
        """Take the row and return it, or None when it is taken, finished or gone."""
        taken = (
            self.filter(pk=pk)
            .claimable()
            .update(
                state=WorkState.RUNNING,
                lease_token=uuid.uuid4(),
                lease_until=timezone.now() + (lease or settings.DEEPCAP_LEASE),
                attempts=F("attempts") + 1,
            )
        )
        return self.get(pk=pk) if taken else None

    def to_resend(self, *, older_than: timedelta) -> Self:
        """Select work whose message seems lost: claimable, and not announced for a while."""
        return self.claimable().filter(Q(sent_at=None) | Q(sent_at__lt=timezone.now() - older_than))


class LeasedWork(models.Model):
    """State, lease and attempt count of a row that workers claim."""

    state = models.CharField(max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, editable=False, help_text=_("When a worker was last told of it."))

    objects = LeasedQuerySet.as_manager()

    class Meta:
        abstract = True

    def extend_lease(self, *, lease: timedelta | None = None, **values: object) -> None:
        """Hold on for longer, with ``values`` set. Raises LeaseLost when the row is no longer ours."""
        held = self._held().update(lease_until=timezone.now() + (lease or settings.DEEPCAP_LEASE), **values)
        if not held:
            raise LeaseLost(f"{self._meta.label} {self.pk}")

    def release(self, state: WorkState, **values: object) -> None:
        """End our turn, leaving the row in ``state`` with ``values`` set. Raises LeaseLost; call it in the transaction
        that writes the results, so that a lost lease takes them back."""
        held = self._held().update(state=state, lease_token=None, lease_until=None, **values)
        if not held:
            raise LeaseLost(f"{self._meta.label} {self.pk}")

    def _held(self) -> models.QuerySet:
        return type(self).objects.filter(pk=self.pk, state=WorkState.RUNNING, lease_token=self.lease_token)
