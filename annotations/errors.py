"""Refusals of this room, each with its stable code."""

from django.utils.translation import gettext as _

from deepcap.common.errors import Conflict, DomainError, Forbidden


class NotTheOwner(Forbidden):
    code = "not_the_owner"

    def __init__(self) -> None:
        super().__init__(_("Only the owner of the dataset may do this."))


class LabelsRefused(DomainError):
    """The label file, or what was said about it, is not acceptable; the code says why."""


class ExportRefused(DomainError):
    """The annotations cannot be had in this format; the code says why."""


class ConversionRefused(DomainError):
    """Annotation data of this kind cannot be made from these; the code says why."""


class CombinationRefused(DomainError):
    """These datasets cannot be combined like this; the code says why."""


class SplitRefused(DomainError):
    """Studies cannot be divided like this; the code says why."""


class SplitInUse(Conflict):
    """What was trained on the split would not be known any more."""

    code = "split_in_use"


class ComparisonRefused(DomainError):
    """These datasets cannot be compared; the code says why."""
