"""What people take out: annotation data as files."""

from __future__ import annotations

from django.utils.translation import gettext as _

from annotations.exporting import Export, export
from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.errors import WrongState
from deepcap.accounts.models import User
from deepcap.accounts.services import record


def export_annotation_data(
    *, annotation_data: AnnotationData, by: User, file_format: str, include_images: bool = False
) -> Export:
    """Return the annotations as a file that is made while it is sent; the audit log says who took it.

    Raises WrongState while they are being imported or made, and ExportRefused.
    """
    if annotation_data.status == AnnotationDataStatus.IMPORTING:
        raise WrongState(_("These annotation data are still being made."))
    made = export(annotation_data, file_format=file_format, include_images=include_images)
    record(
        actor=by,
        action="annotation_data.exported",
        target=annotation_data,
        file_format=file_format,
        include_images=include_images,
    )
    return made
