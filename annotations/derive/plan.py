"""What can be made of what (product.md 13.3, 13.4), and which label becomes which. Pure but for words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from annotations.errors import ConversionRefused
from annotations.models import AnnotationType

CLASSIFICATION = (AnnotationType.SINGLE_LABEL, AnnotationType.MULTI_LABEL)
CONVERSIONS = {
    AnnotationType.DETECTION: CLASSIFICATION,
    AnnotationType.SEGMENTATION: (*CLASSIFICATION, AnnotationType.DETECTION),
}
NAME_LENGTH = 200


class Plan(NamedTuple):
    """``pairs``: (old label, new label), each once. An old label may become several, and several one."""

    annotation_type: AnnotationType
    pairs: tuple[tuple[str, str], ...]


def make_plan(
    *,
    source_type: str,
    annotation_type: str,
    names: Sequence[str],
    labels: Sequence[str] | None = None,
    merge: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """Return what becomes of the labels ``names``.

    ``labels`` are those kept under their own names; by default all that ``merge`` ({new: [old, …]}) does not take in.
    Raises ConversionRefused with one of the codes wrong_type, nothing_to_convert, label_unknown, label_name_invalid,
    no_labels, label_in_two_classes.
    """
    target = _target(source_type, annotation_type)
    merge = merge or {}
    if target == source_type and labels is None and not merge:
        raise ConversionRefused(
            _("Choose another type, some of the labels, or labels to be merged."), code="nothing_to_convert"
        )
    merged = [old for olds in merge.values() for old in olds]
    _require_known([*(labels or ()), *merged], names)
    kept = [name for name in names if name not in merged] if labels is None else labels
    named = {new.strip(): olds for new, olds in merge.items()}
    pairs = [(name, name) for name in kept] + [(old, new) for new, olds in named.items() for old in olds]
    if len(named) < len(merge) or not all(0 < len(new) <= NAME_LENGTH and "\x00" not in new for new in named):
        raise ConversionRefused(
            _("A merged label needs a name of its own, of at most %(most)d characters.") % {"most": NAME_LENGTH},
            code="label_name_invalid",
        )
    if not pairs or not all(merge.values()):
        raise ConversionRefused(_("Choose at least one label."), code="no_labels")
    distinct = tuple(dict.fromkeys(pairs))
    if target == AnnotationType.SINGLE_LABEL:
        _require_one_class(distinct)
    return Plan(target, distinct)


def _target(source_type: str, annotation_type: str) -> AnnotationType:
    if annotation_type not in AnnotationType.values:
        raise ConversionRefused(
            _("There is no annotation type “%(name)s”.") % {"name": annotation_type}, code="wrong_type"
        )
    source, target = AnnotationType(source_type), AnnotationType(annotation_type)
    if target != source and target not in CONVERSIONS.get(source, ()):
        values = {"source": source.label, "target": target.label}
        raise ConversionRefused(_("%(source)s cannot be converted to %(target)s.") % values, code="wrong_type")
    return target


def _require_known(wanted: Sequence[str], names: Sequence[str]) -> None:
    known = set(names)
    unknown = sorted({name for name in wanted if name not in known})
    if unknown:
        raise ConversionRefused(
            _("There is no such label: %(names)s.") % {"names": ", ".join(unknown)[:400]}, code="label_unknown"
        )


def _require_one_class(pairs: Sequence[tuple[str, str]]) -> None:
    becomes: dict[str, str] = {}
    for old, new in pairs:
        if becomes.setdefault(old, new) != new:
            raise ConversionRefused(
                _("“%(name)s” would become two classes, and an image may have only one.") % {"name": old},
                code="label_in_two_classes",
            )
