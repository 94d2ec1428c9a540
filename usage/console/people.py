"""People as a form names them: user names or e-mail addresses, in one field."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from deepcap.accounts.models import User

MOST_PEOPLE = 200


def people_in(text: str) -> list[User]:
    """Return the registered people whose user names or addresses stand in ``text``, each once, in that order.

    Raises ValidationError for a word that is nobody's.
    """
    words = list(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))
    if len(words) > MOST_PEOPLE:
        raise ValidationError(_("At most %(most)d people.") % {"most": MOST_PEOPLE})
    lower = [word.lower() for word in words]
    active = User.objects.filter(is_active=True).annotate(address=Lower("email"))
    found = list(active.filter(Q(username__in=words) | Q(address__in=lower)))
    by_word = {user.email.lower(): user for user in found if user.email} | {user.username: user for user in found}
    people = {}
    for word in words:
        user = by_word.get(word) or by_word.get(word.lower())
        if user is None:
            raise ValidationError(_("Nobody is registered as “%(word)s”.") % {"word": word[:60]})
        people[user.pk] = user
    return list(people.values())
