"""Which studies of a project are not exported, and why (product description 13.2)."""

from __future__ import annotations

from enum import Enum


class Excluded(Enum):
    """Reasons, in the order in which they are given when several apply."""

    NO_RESULT = "no_result"
    PROBLEMATIC = "problematic"
    BY_USER = "by_user"
    BY_REVIEWER = "by_reviewer"
    BY_SYSTEM = "by_system"


def reason_not_exported(
    *,
    has_result: bool,
    marked_problematic: bool = False,
    excluded_by_owner: bool = False,
    review_failed: bool = False,
    dsv_passed: bool | None = None,
) -> Excluded | None:
    """Return why a study is left out, or None when it is exported.

    Nothing saved; an annotator marked the image as problematic; the owner excluded it; a reviewer failed it; or the
    annotators agreed too little (``dsv_passed`` is None where a project does not use DSV).
    """
    reasons = {
        Excluded.NO_RESULT: not has_result,
        Excluded.PROBLEMATIC: marked_problematic,
        Excluded.BY_USER: excluded_by_owner,
        Excluded.BY_REVIEWER: review_failed,
        Excluded.BY_SYSTEM: dsv_passed is False,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)
