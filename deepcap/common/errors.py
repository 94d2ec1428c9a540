"""What went wrong through the person's own doing: told to them in a sentence, never a stack trace."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal with an HTTP status, a stable code and a sentence for the person who caused it."""

    status = 400
    code = "invalid"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = str(message)
        self.code = code or self.code
        self.status = status or self.status
        self.fields = fields


class Forbidden(DomainError):
    """The object may be seen, but this may not be done to it by this person."""

    status = 403
    code = "forbidden"


class Conflict(DomainError):
    """The object's present state does not allow it."""

    status = 409
    code = "conflict"
