"""Notifications that are sent by e-mail as well. The rows are the queue: what is to be said stands in ``to_mail``."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import Notification, User

logger = logging.getLogger(__name__)

MOST_PEOPLE = 500
GIVEN_UP = timedelta(days=1)


def send_mail(user_id: int) -> bool:
    """Send one mail with all that is to be said to a person; False when there is nothing.

    The sentences are taken off the rows before the mail goes out, and put back when it could not be sent: nobody gets
    a mail twice, and a worker that dies in between costs the mail, not the notification. What is still unsaid after a
    day is given up.
    """
    taken = _take(user_id)
    if not taken:
        return False
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None:
        return False
    try:
        _compose(user, list(taken.values())).send()
    except (OSError, SMTPException):
        logger.warning("The mail server did not take a mail to user %s.", user_id, exc_info=True)
        for pk, sentence in taken.items():
            Notification.objects.filter(pk=pk).update(to_mail=sentence)
        return False
    return True


def people_to_mail() -> list[int]:
    """Return the ids of people to whom something is still to be said by mail."""
    rows = Notification.objects.exclude(to_mail="").order_by()
    return list(rows.values_list("user", flat=True).distinct()[:MOST_PEOPLE])


@transaction.atomic
def _take(user_id: int) -> dict[int, str]:
    rows = Notification.objects.select_for_update().filter(user=user_id).exclude(to_mail="")
    taken = {row.pk: (row.to_mail, row.created_at) for row in rows.order_by("pk")}
    Notification.objects.filter(pk__in=taken).update(to_mail="")
    fresh = timezone.now() - GIVEN_UP
    return {pk: sentence for pk, (sentence, created_at) in taken.items() if created_at > fresh}


def _compose(user: User, sentences: list[str]) -> EmailMessage:
    lines = [f"- {text}" + (f" ({times} ×)" if times > 1 else "") for text, times in Counter(sentences).items()]
    where = settings.DEEPCAP_PUBLIC_URL or _("DeepCap")
    body = [
        _("Hello %(name)s,") % {"name": user.display_name},
        "\n".join(lines),
        _("Sign in to read more under the bell: %(where)s") % {"where": where},
    ]
    subject = ngettext(
        "DeepCap: something you work on has changed", "DeepCap: things you work on have changed", len(sentences)
    )
    return EmailMessage(subject, "\n\n".join(body) + "\n", to=[user.email])
