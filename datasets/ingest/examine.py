"""Members' bytes: an image with its header and thumbnail, or the reason why not."""

from __future__ import annotations

import atexit
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from posixpath import splitext

from django.conf import settings
from django.utils.translation import gettext as _

from datasets.archives import Member, Refused, is_packed_volume
from datasets.imaging import Examined, ImageHeader, ImagingError, Limits, Sandbox, Skipped, sniff

DOCUMENT_SUFFIXES = frozenset(
    {
        *(".md", ".rst", ".html", ".htm", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx"),
        *(".odt", ".ods", ".rtf", ".py", ".ipynb", ".sh", ".log"),
    }
)
SIDE_FILE_SUFFIXES = DOCUMENT_SUFFIXES | {
    *(".csv", ".tsv", ".json", ".xml", ".txt", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".names"),
    *(".nii", ".nrrd", ".mha", ".mhd"),
}
BURNED_IN_MODALITIES = frozenset({"US", "SC", "XA", "OT"})
MAX_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """An image that is to become a row: what was found in the member at ``path``."""

    path: str
    digest: str
    size: int
    examined: Examined


@cache
def sandbox() -> Sandbox:
    """Return this process's decoder child, started at first use."""
    limits = Limits(min_side=settings.DEEPCAP_MIN_IMAGE_SIDE, max_side=settings.DEEPCAP_MAX_IMAGE_SIDE)
    decoder = Sandbox(
        memory_bytes=settings.DEEPCAP_DECODER_MEMORY_BYTES,
        seconds_per_file=settings.DEEPCAP_DECODER_SECONDS,
        limits=limits,
    )
    atexit.register(decoder.close)
    return decoder


def allocate(member: Member) -> memoryview | None:
    """Return memory for a member that may be an image, where the decoder reads it; None for others, and when full."""
    return None if is_side_file(member.path) else sandbox().allocate(member.size)


def examine_all(files: Sequence[tuple[str, bytes | memoryview]]) -> Iterator[Accepted | Refused]:
    """Decide about files, given as paths and contents, in order; a hostile or broken one is refused by code.

    Contents are hashed while the decoder is at work.
    """
    shown = [not is_side_file(path) or sniff(data) is not None for path, data in files]
    images = [data for (_, data), is_shown in zip(files, shown, strict=True) if is_shown]
    answers = sandbox().examine_all(images)
    digests = iter([hashlib.sha256(data).hexdigest() for data in images])
    for (path, data), is_shown in zip(files, shown, strict=True):
        yield _decided(path, len(data), next(digests), next(answers)) if is_shown else left_out(path)


def _decided(path: str, size: int, digest: str, answer: Examined | ImagingError) -> Accepted | Refused:
    if isinstance(answer, Examined):
        return Accepted(path=path, digest=digest, size=size, examined=answer)
    return Refused(path, "skipped" if isinstance(answer, Skipped) else "rejected", answer.code, answer.message)


def is_side_file(path: str) -> bool:
    """Tell whether a file is, by its name, one of those that lie beside images: labels, notes, documents."""
    return splitext(path)[1].lower() in SIDE_FILE_SUFFIXES or is_packed_volume(path)


def is_document(path: str) -> bool:
    """Tell whether a file is, by its name, for people to read: nothing that a program finds labels in."""
    return splitext(path)[1].lower() in DOCUMENT_SUFFIXES


def left_out(path: str) -> Refused:
    """Return the refusal of a side file, which never fails a dataset."""
    return Refused(path, "skipped", "not_an_image", _("Not an image: left out."))


def forgive_side_file(refused: Refused) -> Refused:
    """Return a refusal made at sight, softened for an empty label file or a document that is a zip inside."""
    if not is_side_file(refused.path) or refused.code not in ("file_empty", "nested_archive"):
        return refused
    if refused.code == "nested_archive" and not is_document(refused.path):
        return Refused(refused.path, "skipped", refused.code, refused.message)
    return left_out(refused.path)


def study_key(accepted: Accepted) -> str:
    """Return what identifies the study of an image in its dataset: its StudyInstanceUID, or else its own path."""
    return clean(accepted.examined.header.study_instance_uid, 64) or accepted.path


def image_fields(accepted: Accepted) -> dict[str, object]:
    """Return the columns of an image that come out of its header, fit for the database."""
    header = accepted.examined.header
    return {
        "path": accepted.path,
        "format": header.format,
        "width": header.width,
        "height": header.height,
        "frames": header.frames,
        "bits_stored": header.bits_stored,
        "photometric_interpretation": clean(header.photometric_interpretation, 16),
        "transfer_syntax_uid": clean(header.transfer_syntax_uid, 64),
        "sop_class_uid": clean(header.sop_class_uid, 64),
        "sop_instance_uid": clean(header.sop_instance_uid, 64),
        "instance_number": integer(header.instance_number),
        "slice_position": number(header.slice_position),
        "window_center": number(header.window_center),
        "window_width": number(header.window_width),
        "attributes": attributes(header),
        "undrawable": accepted.examined.undrawable or "",
        "burned_in_risk": burned_in_risk(header),
    }


def attributes(header: ImageHeader) -> dict[str, object]:
    """Return the header's remaining attributes by DICOM keyword: what a viewer needs but no query asks for.

    ``Orientation`` is that of EXIF (1 to 8).
    """
    return {
        **header.attributes,
        "Modality": clean(header.modality, 16),
        "StudyDescription": clean(header.study_description, 200),
        "StudyDate": clean(header.study_date, 10),
        "BodyPartExamined": clean(header.body_part_examined, 64),
        "SamplesPerPixel": header.samples_per_pixel,
        "BitsAllocated": header.bits_allocated,
        "PixelRepresentation": header.pixel_representation,
        "Orientation": header.orientation,
    }


def burned_in_risk(header: ImageHeader) -> bool:
    """Tell whether text may be burned into the pixels: the file says so, or its modality often does (P9)."""
    if header.burned_in_annotation is not None:
        return header.burned_in_annotation
    return header.format == "DICOM" and header.modality in BURNED_IN_MODALITIES


def clean(text: str, length: int) -> str:
    """Cut ``text`` to a column and drop control characters, which PostgreSQL and people cannot read."""
    if not text.isprintable():
        text = "".join(character for character in text if character.isprintable())
    return text[:length]


def integer(value: int | None) -> int | None:
    """Return ``value`` if a database integer can hold it."""
    return value if value is not None and abs(value) <= MAX_INTEGER else None


def number(value: float | None) -> float | None:
    """Return ``value`` if it is a finite number."""
    return value if value is not None and math.isfinite(value) else None
