"""Annotation data in a format of one's choice: one file, or a zip with or without the images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotations.errors import ExportRefused
from annotations.formats.base import Format, Options, OutMember, Output
from annotations.formats.registry import BY_KEY, formats_writing
from annotations.models import AnnotationData, LabelImport, Split
from datasets.archives.paths import normalise
from datasets.blobs.store import get_store
from datasets.models import Blob

from .headers import Headers
from .items import PartOf, items_of, labels_of, listed_of
from .parts import folders_of, layout_of
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


def export(
    annotation_data: AnnotationData,
    *,
    file_format: str,
    include_images: bool = False,
    split: Split | None = None,
    part: int | None = None,
) -> Export:
    """Return the annotations in ``file_format``, and with ``include_images`` the listed images as they were uploaded.

    Images lie in the zip under their paths in the dataset, label files where their format looks for them; the whole can
    be uploaded again. Of a ``split`` the part at place ``part`` is exported as if it were the whole; without ``part``
    all of them, each in its folder, or where the users of the format have parts. Raises ExportRefused for a format that
    does not exist or cannot hold this type of annotations. While the chunks are taken, Vanished is raised if rows went
    away meanwhile.
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
    name = annotation_data.name
    if split is not None and part is None:
        members = _parts(writer, output, annotation_data, split, include_images=include_images)
        name = f"{name}-{split.name}"
    else:
        only = None if split is None or part is None else PartOf(split, part)
        written = writer.write(output, items_of(annotation_data, only))
        name = name if only is None else f"{name}-{only.name}"
        if file_format in ONE_FILE and not include_images:
            return Export(
                filename=f"{name}.{'json' if file_format == 'coco' else 'csv'}",
                content_type=ONE_FILE[file_format],
                chunks=_gathered(written),
            )
        images = _images(annotation_data, only) if include_images else ()
        members = _members(written, images)
    return Export(
        filename=f"{name}-{file_format}.zip",
        content_type=ZIP,
        chunks=stream_zip(members, when=annotation_data.created_at),
    )


def _parts(
    writer: Format, output: Output, data: AnnotationData, split: Split, *, include_images: bool
) -> Iterator[Member]:
    layout = layout_of(writer.key)
    folders = folders_of(split.part_names)
    yield from _members(layout.head(output.labels, folders), ())
    for place, folder in enumerate(folders):
        part = PartOf(split, place)
        for member in writer.write(output, items_of(data, part)):
            path = layout.file(folder, member.name)
            if path is not None:
                yield Member(safe_path(path), member.content)
        if include_images:
            for image in _images(data, part):
                yield image._replace(name=safe_path(layout.image(folder, image.name)))


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


def _images(data: AnnotationData, part: PartOf | None = None) -> Iterator[Member]:
    rows = listed_of(data, part).values_list("position", "image__path", "image__blob__stem")
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
