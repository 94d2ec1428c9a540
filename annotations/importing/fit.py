"""What a label file says, fit for the database: PostgreSQL keeps no NUL and no lone surrogate, JSON knows no NaN."""

from __future__ import annotations

import math
from typing import Any

MAX_DEPTH = 32
AS_THEY_ARE = frozenset({int, bool, type(None)})


def fit_text(text: str, length: int | None = None) -> str:
    """Return ``text`` fit for a column of ``length`` characters; what no text holds is the replacement character."""
    if not text.isascii() or "\x00" in text:
        text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return text if length is None or len(text) <= length else text[: length - 1] + "…"


def fit_json(value: Any, depth: int = 0) -> Any:
    """Return a JSON value fit for a JSON column.

    NaN and infinities become null, as they do in JavaScript; so does what is nested deeper than ``MAX_DEPTH``, which
    could be written but not be read again. Texts are those of :func:`fit_text`.
    """
    kind = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is str:
        return fit_text(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if depth >= MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {fit_text(str(key)): fit_json(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [fit_json(each, depth + 1) for each in value]
    return value
