"""Content security policies of pages we did not write. Our own pages keep to the strict one of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csp.decorators import csp_update
from django.urls import URLPattern, URLResolver

OPERATORS = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}  # Alpine evaluates its attributes
API_DOCS = {"style-src": ["'unsafe-inline'"]}


def under_policy(
    urls: Sequence[URLPattern | URLResolver], directives: Mapping[str, Sequence[str]]
) -> list[URLPattern | URLResolver]:
    """Return the same URLs, whose views answer with ``directives`` added to the policy."""
    relaxed: list[URLPattern | URLResolver] = []
    for url in urls:
        if isinstance(url, URLPattern):
            view = csp_update(dict(directives))(url.callback)
            relaxed.append(URLPattern(url.pattern, view, url.default_args, url.name))
        else:
            inner = under_policy(url.url_patterns, directives)
            relaxed.append(URLResolver(url.pattern, inner, url.default_kwargs, url.app_name, url.namespace))
    return relaxed
