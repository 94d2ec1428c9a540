"""What a DICOM object made for an image repeats of it: patient, study, frame of reference, SOP class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotations.formats.base import ImageRef
from datasets.models import Image
from datasets.models.image import ImageFormat
from datasets.services.decoding import NotDrawable
from datasets.services.renderings import header_of

REPEATED = {
    "PatientName": "00100010",
    "PatientID": "00100020",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "StudyID": "00200010",
    "AccessionNumber": "00080050",
}


class Headers:
    """Called with an image, returns attributes by keyword. Asked series by series it reads one file a series.

    Only the first image of a series is opened, in the decoder's child process; what its images differ in is stored.
    """

    def __init__(self) -> None:
        self._of_series: dict[int, Mapping[str, str]] = {}

    def __call__(self, image: ImageRef) -> Mapping[str, str]:
        if image.id not in self._of_series:
            self._of_series = _of_series(image.id)
        return self._of_series[image.id]


def _of_series(image_id: int) -> dict[int, Mapping[str, str]]:
    first = Image.objects.select_related("blob", "study").get(pk=image_id)
    images = Image.objects.filter(pk=image_id)
    if first.series_id is not None:
        images = Image.objects.filter(series=first.series_id)
    shared = _repeated(first) | {"StudyInstanceUID": first.study.study_instance_uid}
    return {
        pk: shared | {"SOPClassUID": sop_class, "FrameOfReferenceUID": str(attributes.get("FrameOfReferenceUID", ""))}
        for pk, sop_class, attributes in images.values_list("pk", "sop_class_uid", "attributes").iterator()
    }


def _repeated(image: Image) -> dict[str, str]:
    """Return what is read from the file; nothing where it cannot be read."""
    if image.format != ImageFormat.DICOM:
        return {}
    try:
        header = header_of(image)
    except NotDrawable:
        return {}
    found = {keyword: _text(header.get(tag, {}).get("Value")) for keyword, tag in REPEATED.items()}
    return {keyword: text for keyword, text in found.items() if text}


def _text(values: Any) -> str:
    """Return the first value of an element as DICOM JSON has it (PS3.18, F.2)."""
    first = values[0] if values else ""
    if isinstance(first, dict):
        first = "=".join(first.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    return str(first)
