"""Which sets of labels the files of an import are: what was detected, bent to what its owner has asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.utils.translation import gettext as _

from annotations import formats
from annotations.formats.base import AnnotationType, Format, LabelError, LabelSet, SideFile, stem
from annotations.formats.images import Images

from .fit import fit_json


def detected(
    files: Sequence[SideFile], images: Images, *, annotation_type: str = "", file_format: str = ""
) -> list[LabelSet]:
    """Return the sets that the files make, those of the type that was asked for first.

    With ``file_format`` only that format is tried, and believed to be right. Raises LabelError when there is no set,
    or none that can be read as the type.
    """
    if file_format:
        sets = _of_format(files, images, file_format, annotation_type)
    else:
        sets = formats.detect(files, images, class_folders=False)
    if not sets:
        message = _("The file is of no known label format. If it has an unusual name, say which format it is.")
        raise LabelError(message, code="label_file_unknown")
    if annotation_type:
        return _of_type(sets, cast("AnnotationType", annotation_type))
    return sets


def _of_format(files: Sequence[SideFile], images: Images, key: str, annotation_type: str) -> list[LabelSet]:
    form = format_of(key)
    sets, _claimed = form.sniff(files, images)
    if sets or not files:
        return sets
    wanted = cast("AnnotationType | None", annotation_type or (form.reads[0] if len(form.reads) == 1 else None))
    return [LabelSet(key, wanted, list(files), stem(files[0].path))]


def _of_type(sets: list[LabelSet], annotation_type: AnnotationType) -> list[LabelSet]:
    fitting = [found for found in sets if found.annotation_type == annotation_type]
    if fitting:
        return fitting
    for found in sets:
        if annotation_type in format_of(found.format).reads:
            found.annotation_type = annotation_type
            return [found]
    message = _("The file does not hold labels of this type.")
    raise LabelError(message, code="label_type_wrong")


def format_of(key: str) -> Format:
    """Return the format ``key``. Raises LabelError."""
    for form in formats.FORMATS:
        if form.key == key:
            return form
    raise LabelError(_("There is no such label format."), code="label_format_unknown")


def to_json(label_set: LabelSet, *, all_files: int) -> dict[str, Any]:
    """Describe a set for ``LabelImport.options``; its files by their paths, unless they are all there are."""
    paths = None if len(label_set.files) == all_files else [file.path for file in label_set.files]
    return {
        "format": label_set.format,
        "annotation_type": label_set.annotation_type or "",
        "paths": paths,
        "name": label_set.name,
        "suffix": label_set.suffix,
        "options": fit_json(label_set.options),
    }


def from_json(described: Mapping[str, Any], files: Sequence[SideFile]) -> LabelSet:
    """Return the set that :func:`to_json` described, out of the files that are there now."""
    paths = described["paths"]
    wanted = None if paths is None else set(paths)
    return LabelSet(
        format=described["format"],
        annotation_type=described["annotation_type"] or None,
        files=[file for file in files if wanted is None or file.path in wanted],
        name=described["name"],
        suffix=described["suffix"],
        options=dict(described["options"]),
    )
