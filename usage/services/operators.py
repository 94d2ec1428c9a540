"""What operators do about work that services hold, beyond what owners may: written to the audit log."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from usage.claims import return_abandoned
from usage.models import ServiceWork


@transaction.atomic
def free_claim(*, row: ServiceWork, by: User) -> None:
    """Take work away from the service that holds it: as if that had stopped reporting.

    Raises WrongState when no service has claimed it.
    """
    model = type(row)
    held = model.objects.filter(pk=row.pk).exclude(lease_until=None)
    if not held.update(lease_until=timezone.now() - timedelta(seconds=1)):
        raise WrongState(_("No service holds this."))
    return_abandoned(model)
    record(actor=by, action=f"{model._meta.model_name}.taken_away", target=row, service=row.claimed_as)
