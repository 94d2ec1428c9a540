"""``Authorization: Token KEY``"""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header

from .models import ServiceToken, digest

_REMEMBER_USE_EVERY = timedelta(minutes=5)


class ServiceTokenAuthentication(BaseAuthentication):
    """Authenticates a service by the key of one of its user's tokens."""

    keyword = "Token"

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        if len(words) != 2:
            raise exceptions.AuthenticationFailed("The Authorization header must read: Token KEY.")
        key = words[1].decode("latin-1")
        token = ServiceToken.objects.usable().select_related("user").filter(digest=digest(key)).first()
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, revoked or expired.")
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > _REMEMBER_USE_EVERY:
            ServiceToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request):
        return self.keyword


class ServiceTokenScheme(OpenApiAuthenticationExtension):
    """What the OpenAPI document says of it."""

    target_class = ServiceTokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix=self.target.keyword)
