"""Refusals of this room, each with its stable code."""

from django.utils.translation import gettext as _

from deepcap.common.errors import Conflict, DomainError, Forbidden


class ConfirmationRequired(DomainError):
    code = "confirmation_required"

    def __init__(self) -> None:
        super().__init__(_("Type DELETE, in capitals, to confirm."))


class NotTheOwner(Forbidden):
    code = "not_the_owner"

    def __init__(self) -> None:
        super().__init__(_("Only the owner of a dataset may do this."))


class WrongState(Conflict):
    """The dataset, upload or ingest is not in a state that allows what was asked."""

    code = "wrong_state"


class QuotaExceeded(DomainError):
    status = 413
    code = "quota_exceeded"


class UploadRefused(DomainError):
    """The upload's name, size or parts are not acceptable; the code says which."""


class ValueRefused(DomainError):
    """One field of a form or a request is not acceptable."""

    def __init__(self, field: str, message: str, *, code: str = "invalid") -> None:
        super().__init__(message, code=code, fields={field: [message]})
