"""Annotation data in a format of one's choice: one file, or a zip with or without the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotations.errors import ExportRefused
from annotations.formats.base import Options, OutMember, Output
from annotations.formats.registry import BY_KEY, formats_writing
from annotations.models import AnnotatedImage, AnnotationData, LabelImport
from datasets.archives.paths import normalise
from datasets.blobs.store import get_store
from datasets.models import Blob

from .headers import Headers
from .items import items_of, labels_of
from .zipstream import Member, stream_zip

ONE_FILE = {"csv": "text/csv; charset=utf-8", "coco": "application/json"}
ZIP = "application/zip"
STEM = "label"
IMAGES_PER_QUERY = 1_000
SLICE = 256 * 1024


@dataclass(frozen=True)
class Export:
    """A file that is made while it is sent. ``filename`` is for people: whoever puts it into a header quotes it."""

    filename: str
    content_type: str
    chunks: Iterator[bytes]


def formats_for(annotation_type: str) -> list[tuple[str, str]]:
    """Return key and title of the formats in which annotations of this type can be exported."""
    return formats_writing(annotation_type)  # type: ignore[arg-type] - the model's values are the formats'


def export(annotation_data: AnnotationData, *, file_format: str, include_images: bool = False) -> Export:
    """Return the annotations in ``file_format``, and with ``include_images`` the listed images as they were uploaded.

    Images lie in the zip under their paths in the dataset, label files where their format looks for them; the whole can
    be uploaded again. Raises ExportRefused for a format that does not exist or cannot hold this type of annotations.
    While the chunks are taken, Vanished is raised if rows went away meanwhile.
    """
    writer = BY_KEY.get(file_format)
    if writer is None:
        raise ExportRefused(_("There is no export format “%(name)s”.") % {"name": file_format}, code="unknown_format")
    if annotation_data.annotation_type not in writer.writes:
        values = {"name": writer.title, "type": annotation_data.get_annotation_type_display()}
        raise ExportRefused(_("%(name)s cannot hold annotations of the type %(type)s.") % values, code="wrong_type")
    output = Output(
        annotation_type=annotation_data.annotation_type,  # type: ignore[arg-type]
        labels=labels_of(annotation_data),
        name=STEM,
        options=_options(annotation_data),
    )
    written = writer.write(output, items_of(annotation_data))
    if file_format in ONE_FILE and not include_images:
        return Export(
            filename=f"{annotation_data.name}.{'json' if file_format == 'coco' else 'csv'}",
            content_type=ONE_FILE[file_format],
            chunks=_gathered(written),
        )
    images = _images(annotation_data) if include_images else ()
    return Export(
        filename=f"{annotation_data.name}-{file_format}.zip",
        content_type=ZIP,
        chunks=stream_zip(_members(written, images), when=annotation_data.created_at),
    )


def _options(data: AnnotationData) -> Options:
    """Return what the file they came in says of itself, to be written back, and a way to look into the images."""
    options = LabelImport.objects.filter(annotation_data=data).values_list("options", flat=True).first() or {}
    return {**((options.get("set") or {}).get("options") or {}), "headers": Headers()}


def _members(written: Iterable[OutMember], images: Iterable[Member]) -> Iterator[Member]:
    for member in written:
        yield Member(safe_path(member.name), member.content)
    yield from images


def safe_path(path: str) -> str:
    """Return a path that stays inside the folder a zip is unpacked into, on every system."""
    parts = [part for part in normalise(path).split("/") if part not in ("", ".", "..")]
    if parts and parts[0].endswith(":"):
        parts[0] = parts[0].rstrip(":") or "_"
    return "/".join(parts).replace("\x00", "") or "_"


def _images(data: AnnotationData) -> Iterator[Member]:
    listed = AnnotatedImage.objects.filter(annotation_data=data).order_by("position", "pk")
    rows = listed.values_list("position", "image__path", "image__blob__stem")
    page = list(rows[:IMAGES_PER_QUERY])
    while page:
        for _position, path, stem in page:
            yield Member(safe_path(path), _stored(Blob(stem=stem).original_key), compress=False)
        page = list(rows.filter(position__gt=page[-1][0])[:IMAGES_PER_QUERY])


def _stored(key: str) -> Iterator[bytes]:
    with get_store().open(key) as stream:
        while piece := stream.read(SLICE):
            yield piece


def _gathered(written: Iterable[OutMember]) -> Iterator[bytes]:
    """Yield the content of the files, in pieces worth sending."""
    waiting = bytearray()
    for member in written:
        for piece in member.content:
            waiting += piece
            if len(waiting) >= SLICE:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)
