"""What the scopes of a token allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission

from deepcap.common.errors import Forbidden

from .models import ServiceToken

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class OutsideScope(Forbidden):
    code = "outside_scope"

    def __init__(self) -> None:
        super().__init__(_("The scopes of this token do not allow that."))


class WithinScopes(BasePermission):
    """A token without scopes may do what its user may. One with scopes may read, and write where a view says so.

    A view opens its methods to scoped tokens by its ``scope``; deleting is for people. What is read where
    ``reading_grants_writing`` is set counts as written. Raises OutsideScope.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        token = request.auth
        if not isinstance(token, ServiceToken) or not token.scopes:
            return True
        if request.method in SAFE_METHODS and not getattr(view, "reading_grants_writing", False):
            return True
        if request.method == "DELETE" or getattr(view, "scope", None) not in token.scopes:
            raise OutsideScope
        return True
