"""``{% load usage_urls %}``: ``{% usage_url kind 'stop' row.pk %}``."""

from __future__ import annotations

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag
def usage_url(kind, page: str, *args: int) -> str:
    """Return the address of a page of a record."""
    return reverse(f"{kind.slug}-{page}", args=args)
