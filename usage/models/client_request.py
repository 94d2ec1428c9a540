"""What a client asked for under a key of its own, so that asking again is answered with the same."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ClientRequest(models.Model):
    """A request of one user under one key, and the id of what came of it: by value, it must not keep anything.

    It is kept for a week; until the work it asked for is done ``object_id`` is None.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    action = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    object_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name_plural = "client requests"
        constraints = [
            models.UniqueConstraint(fields=["user", "action", "key"], name="a_client_uses_a_key_for_one_request"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"
