"""A deletion, and the receipt that remains of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deepcap.common.leases import LeasedQuerySet, LeasedWork

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class DeletionStage(models.TextChoices):
    WAITING = "waiting", _("Can still be restored")
    ROWS = "rows", _("Erasing rows")
    OBJECTS = "objects", _("Removing objects")
    DONE = "done", _("Done")
    RESTORED = "restored", _("Restored")


class DeletionQuerySet(LeasedQuerySet):
    def visible_to(self, user: User) -> Self:
        """Select the deletions this person asked for or whose dataset was theirs."""
        return self if user.is_superuser else self.filter(Q(requested_by=user) | Q(owner=user))


class Deletion(LeasedWork):
    """What was asked to go, by whom, and what went. Refers to the target by value: it outlives it."""

    target_type = models.CharField(max_length=60, help_text="For example datasets.dataset")
    target_id = models.BigIntegerField()
    target_name = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField(auto_now_add=True)
    stage = models.CharField(max_length=10, choices=DeletionStage.choices, default=DeletionStage.ROWS)
    restorable_until = models.DateTimeField(null=True)
    status_before = models.CharField(max_length=20, blank=True)
    impact = models.JSONField(default=dict, help_text="What was counted when it was asked for.")
    counts = models.JSONField(default=dict, help_text="Rows erased so far, by kind.")
    objects_removed = models.PositiveIntegerField(default=0)
    bytes_removed = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    objects = DeletionQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target_type", "target_id"],
                condition=~Q(stage__in=["done", "restored"]),
                name="a_target_has_one_open_deletion",
            ),
        ]

    def __str__(self) -> str:
        return f"deletion of {self.target_name}"
