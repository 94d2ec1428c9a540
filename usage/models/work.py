"""Work that a service outside does, reached over the API: claimed by one, held by heartbeats, lost when they stop."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DELETING = "deleting"


class WorkStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    STOPPED = "stopped", _("Stopped")
    ERROR = "error", _("Error")
    DELETING = DELETING, _("Deleting")


class ServiceWorkQuerySet(models.QuerySet):
    def unheld(self) -> Self:
        """Select what no service holds at this moment."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=timezone.now()))

    def abandoned(self) -> Self:
        """Select what a service claimed and then stopped reporting on."""
        return self.filter(lease_until__lt=timezone.now())


class ServiceWork(models.Model):
    """The claim of a service on a row. The token stays after the end: the service may repeat its last word.

    ``lease_until`` is None while nobody has claimed the row, and again once the work has ended.
    """

    claim_token = models.UUIDField(null=True, editable=False)
    claim_key = models.CharField(max_length=100, blank=True, editable=False, help_text="The client's key of its claim.")
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    claimed_as = models.CharField(max_length=100, blank=True, help_text=_("Name of the service's token."))
    lease_until = models.DateTimeField(null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, help_text=_("How often it was claimed."))

    class Meta:
        abstract = True

    @property
    def is_held(self) -> bool:
        """True while the service that claimed it keeps reporting."""
        return self.lease_until is not None and self.lease_until >= timezone.now()
