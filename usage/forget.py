"""Answers kept for clients that ask twice are forgotten after a week."""

from datetime import timedelta

from django.utils import timezone

from .models import ClientRequest

KEPT_FOR = timedelta(days=7)


def forget_old_requests() -> int:
    """Forget what clients asked for more than a week ago; return how many."""
    old = ClientRequest.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    return old._raw_delete(old.db)
