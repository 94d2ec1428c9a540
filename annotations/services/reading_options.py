"""What somebody may say about a label file beside its type and format."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from annotations.importing.fit import fit_json
from datasets.errors import ValueRefused


def clean_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options as readers of formats take them. Raises ValueRefused for what none of them knows.

    ``columns``: a CSV's column for each meaning ({"image": "File", "labels": ["a", "b"]}). ``encoding``: of a text.
    ``names``, ``categories``, ``labels``: classes by the numbers that stand for them (YOLO, COCO, masks).
    ``threshold``: from which fraction a pixel belongs to a mask (DICOM Segmentation), 0 to 1.
    """
    cleaned: dict[str, Any] = fit_json(dict(options or {}))
    for key, value in cleaned.items():
        if key not in KNOWN or not KNOWN[key](value):
            message = _("The option “%(name)s” cannot be that, or is none.") % {"name": key[:40]}
            raise ValueRefused("options", message, code="options_invalid")
    return cleaned


def _is_columns(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) or _is_list_of_texts(name) for name in value.values())


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_encoding(value: Any) -> bool:
    try:
        "x".encode(value)
        codecs.lookup(value)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _are_names(value: Any) -> bool:
    return isinstance(value, dict) and all(key.isdecimal() and isinstance(name, str) for key, name in value.items())


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


KNOWN: dict[str, Callable[[Any], bool]] = {
    "columns": _is_columns,
    "encoding": _is_encoding,
    "names": _are_names,
    "categories": _are_names,
    "labels": lambda value: isinstance(value, dict) and all(isinstance(name, str) for name in value.values()),
    "threshold": _is_fraction,
}
