"""The same request twice, under one key of the client, is done once and answered twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from deepcap.accounts.models import User
from deepcap.common.errors import Conflict
from usage.models import ClientRequest

Row = TypeVar("Row", bound=models.Model)
TAKEN_FOR_DEAD = timedelta(minutes=10)


def once(*, user: User, action: str, key: str, make: Callable[[], Row], find: Callable[[int], Row | None]) -> Row:
    """Return what ``make`` makes, or what it made when this user asked under this ``key`` before; no key, no memory.

    ``make`` may take long and commit on its own. Raises Conflict with the code ``request_under_way`` while another
    request under the key is being done, and ``gone`` when what it made does not exist any more.
    """
    if not key:
        return make()
    known = _take(user, action, key)
    if known is not None:
        return _answer(known, find)
    mine = ClientRequest.objects.filter(user=user, action=action, key=key)
    try:
        made = make()
    except BaseException:
        mine.filter(object_id=None).delete()
        raise
    mine.update(object_id=made.pk)
    return made


def _take(user: User, action: str, key: str) -> ClientRequest | None:
    """Note that the request is being done, and return None; or return the one that was noted before."""
    try:
        with transaction.atomic():
            ClientRequest.objects.create(user=user, action=action, key=key)
        return None
    except IntegrityError:
        known = ClientRequest.objects.filter(user=user, action=action, key=key)
        dead = known.filter(object_id=None, created_at__lt=timezone.now() - TAKEN_FOR_DEAD)
        if dead.update(created_at=timezone.now()):
            return None
        return known.get()


def _answer(known: ClientRequest, find: Callable[[int], Row | None]) -> Row:
    if known.object_id is None:
        raise Conflict(_("A request with this key is being worked on."), code="request_under_way")
    row = find(known.object_id)
    if row is None:
        raise Conflict(_("What was made under this key does not exist any more."), code="gone")
    return row
