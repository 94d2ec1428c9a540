"""Refusals of this room, each with its stable code."""

from django.utils.translation import gettext as _

from deepcap.common.errors import Conflict, DomainError


class TransitionRefused(Conflict):
    """The record's state does not allow the step that was asked for."""

    code = "transition_refused"


class ClaimLost(Conflict):
    """The work is held by another service, or was given to another after this one stopped reporting."""

    code = "claim_lost"

    def __init__(self) -> None:
        super().__init__(_("This work is not, or no longer, yours: another service may be working on it."))


class WorkEnded(Conflict):
    """The work was stopped or has ended: nothing more is taken in."""

    code = "work_ended"


class TrainingNeedsAnnotationData(DomainError):
    """Training gate: a training task needs annotation data that can be used."""

    code = "annotation_data_required"

    def __init__(self) -> None:
        message = _("Training needs annotation data: upload labels, or annotate the dataset, before training a model.")
        super().__init__(message, fields={"annotation_data": [message]})


class NotUsable(Conflict):
    """Something the record is to be built on is not available yet."""

    code = "not_available"


class NothingToExport(Conflict):
    code = "no_results"

    def __init__(self) -> None:
        super().__init__(_("There are no results yet that could become annotation data."))
