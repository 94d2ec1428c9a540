"""What people take out: annotation data as files."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.exporting import Export, export
from annotations.models import AnnotationData, AnnotationDataStatus, Split
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record

from .splits import part_of


def export_annotation_data(
    *,
    annotation_data: AnnotationData,
    by: User,
    file_format: str,
    include_images: bool = False,
    split: Split | None = None,
    part: str | None = None,
) -> Export:
    """Return the annotations as a file that is made while it is sent; the audit log says who took it.

    Of a ``split`` one ``part``, or all of them in folders of their own. Raises WrongState while the annotations are
    being imported or made, ExportRefused, and ValueRefused for a part that there is not.
    """
    if annotation_data.status == AnnotationDataStatus.IMPORTING:
        raise WrongState(_("These annotation data are still being made."))
    place = part_of(split, part) if split is not None and part else None
    made = export(annotation_data, file_format=file_format, include_images=include_images, split=split, part=place)
    of_split = {} if split is None else {"split": split.pk, "part": part or ""}
    record(
        actor=by,
        action="annotation_data.exported",
        target=annotation_data,
        file_format=file_format,
        include_images=include_images,
        **of_split,
    )
    return made
