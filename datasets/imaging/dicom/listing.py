"""A DICOM header as rows for people: tag, keyword, name, value as text."""

from typing import Any

from pydicom.datadict import dictionary_description, dictionary_has_tag, keyword_for_tag

MAX_TEXT = 256
"""Characters of a value that are told."""

_PATIENT_GROUP = 0x0010
# Attributes outside the patient group that name or lead to a person, an institution or a device (PS3.15 table E.1-1).
_IDENTIFYING = frozenset(
    (
        "AccessionNumber",
        "AdmissionID",
        "DeviceSerialNumber",
        "InstitutionAddress",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "IssuerOfPatientID",
        "RequestAttributesSequence",
        "StationName",
        "StudyID",
    )
)


def list_tags(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the elements of a data set in DICOM JSON as rows in tag order, items of sequences under ``children``.

    ``identifying`` marks rows that name a person or lead to one: the patient group, person names, and a few others.
    """
    return [_row(tag, document[tag]) for tag in sorted(document)]


def _row(tag: str, element: dict[str, Any]) -> dict[str, Any]:
    number = int(tag, 16)
    keyword = keyword_for_tag(number)
    row: dict[str, Any] = {
        "tag": tag,
        "keyword": keyword,
        "name": dictionary_description(number) if dictionary_has_tag(number) else _private_name(number),
        "vr": element.get("vr", ""),
        "value": _text(element),
        "identifying": number >> 16 == _PATIENT_GROUP or element.get("vr") == "PN" or keyword in _IDENTIFYING,
    }
    if element.get("vr") == "SQ":
        row["children"] = [list_tags(item or {}) for item in element.get("Value", [])]
    return row


def _private_name(number: int) -> str:
    return "Private element" if number >> 16 & 1 else ""


def _text(element: dict[str, Any]) -> str:
    if element.get("vr") == "SQ":
        return ""
    if "InlineBinary" in element:
        return f"{len(element['InlineBinary']) * 3 // 4} bytes"
    text = "\\".join(_value(value) for value in element.get("Value", []))
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):  # a person name by its component groups
        return "=".join(value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
