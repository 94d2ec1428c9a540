"""What every format speaks of: images, label files, what was found in them, and what is to be written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, Protocol

from .masks import Mask

if TYPE_CHECKING:
    from .images import Images

AnnotationType = Literal[
    "single_label_classification", "multi_label_classification", "object_detection", "image_segmentation"
]
SINGLE_LABEL: AnnotationType = "single_label_classification"
MULTI_LABEL: AnnotationType = "multi_label_classification"
DETECTION: AnnotationType = "object_detection"
SEGMENTATION: AnnotationType = "image_segmentation"
ALL_TYPES = (SINGLE_LABEL, MULTI_LABEL, DETECTION, SEGMENTATION)

Box = tuple[float, float, float, float]
Polygon = list[float]
Options = Mapping[str, Any]

MAX_LABEL = 200  # characters
MAX_MESSAGE = 480
MAX_FILE = 64 * 1024 * 1024  # bytes of a label file that is read as a whole


class Geometry(NamedTuple):
    """Where an image lies in the patient's coordinates, millimetres (DICOM PS3.3, C.7.6.2)."""

    position: tuple[float, float, float]  # ImagePositionPatient
    orientation: tuple[float, float, float, float, float, float]  # ImageOrientationPatient
    spacing: tuple[float, float]  # PixelSpacing: between rows, between columns

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> Geometry | None:
        """Return the geometry that DICOM attributes (by keyword, JSON values) state, None if they state none."""
        try:
            x, y, z = (float(value) for value in attributes["ImagePositionPatient"])
            a, b, c, d, e, f = (float(value) for value in attributes["ImageOrientationPatient"])
            rows, columns = (float(value) for value in attributes["PixelSpacing"])
        except (KeyError, TypeError, ValueError):
            return None
        return cls((x, y, z), (a, b, c, d, e, f), (rows, columns)) if rows > 0 and columns > 0 else None


class ImageRef(NamedTuple):
    """One image of the dataset. Width and height are as displayed; ``orientation`` is EXIF's, 1 to 8.

    ``place`` is where it stands among the ``Images`` it was found in, from 0.
    """

    id: int
    path: str
    width: int
    height: int
    frames: int = 1
    orientation: int = 1
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    geometry: Geometry | None = None
    frame_of_reference_uid: str = ""
    place: int = 0


class Found(NamedTuple):
    """One annotation that was read. Coordinates in pixels of the image as displayed, origin at its top left corner.

    Single-label: ``value`` 1. Multi-label: ``value`` 0 or 1; a label that is not mentioned for a listed image is 0.
    Detection: ``bbox`` (x, y, width, height). Segmentation: ``mask``, with ``polygons`` where it was drawn by them, and
    ``bbox`` where the file states one. ``frame`` counts from 1; 0 is the whole image. ``row`` is the line, or the place
    in the file, from 1. ``extra`` is what the format says beyond that, to be written back: JSON values only.
    """

    image: int
    label: str
    row: int
    value: int | None = None
    bbox: Box | None = None
    mask: Mask | None = None
    polygons: list[Polygon] | None = None
    score: float | None = None
    frame: int = 0
    extra: dict[str, Any] | None = None


class Listed(NamedTuple):
    """An image that the file lists; without a ``Found`` there is nothing to label on it."""

    image: int
    row: int


class LabelInfo(NamedTuple):
    """A class the file declares, used or not, with what its format says of it (COCO: id, supercategory)."""

    name: str
    extra: dict[str, Any] | None = None


class RowProblem(NamedTuple):
    """Something in a label file that was not used, and why. ``near``: paths of images that may have been meant."""

    row: int | None
    column: str
    code: str
    message: str
    path: str = ""
    near: tuple[str, ...] = ()


Item = Found | Listed | LabelInfo | RowProblem


class SideFile(Protocol):
    """A label file, in a zip or alone. ``open`` may be called again and again, each time from the first byte."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO: ...


@dataclass(slots=True)
class LabelSet:
    """Files that together are one set of labels, and so become one annotation data.

    ``annotation_type`` may be set to another type the format can be read as. ``suffix`` goes behind the dataset's name:
    "_label", "_classes", "-0". ``options`` are the set's own; those given to ``read`` win.
    """

    format: str
    annotation_type: AnnotationType | None
    files: list[SideFile]
    name: str
    suffix: str = ""
    options: dict[str, Any] = field(default_factory=dict)


class OutAnnotation(NamedTuple):
    """One annotation to be written; the fields mean what they mean in ``Found``."""

    label: str
    value: int | None = None
    bbox: Box | None = None
    mask: Mask | None = None
    polygons: list[Polygon] | None = None
    score: float | None = None
    frame: int = 0
    extra: dict[str, Any] | None = None


class ItemOut(NamedTuple):
    """An image to be written with its annotations; none of them: there is nothing to label on it."""

    image: ImageRef
    annotations: Sequence[OutAnnotation]


class OutMember(NamedTuple):
    """One file of an export. The pieces must be taken before the next member is asked for."""

    name: str
    content: Iterable[bytes]


class Output(NamedTuple):
    """What a writer needs to know beside the annotations."""

    annotation_type: AnnotationType
    labels: Sequence[LabelInfo]
    name: str = "labels"
    options: Options = {}


class Format(Protocol):
    """One file format. ``sniff`` takes the files it knows and says what sets they make; the rest is left to others."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def reads(self) -> tuple[AnnotationType, ...]: ...

    @property
    def writes(self) -> tuple[AnnotationType, ...]: ...

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        """Return the sets, and the files this format claims."""

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        """Read everything that can be read; what cannot is a ``RowProblem``."""

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        """Write in one pass over the items, in memory that does not grow with them."""


class LabelError(Exception):
    """What is wrong with one row or object; caught by the reader of the file and turned into a ``RowProblem``."""

    def __init__(self, message: str, *, column: str = "", code: str = "label_row_invalid", near: Sequence[str] = ()):
        super().__init__(message)
        self.message = message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
        self.column = column
        self.code = code
        self.near = tuple(near)

    def at(self, row: int | None, path: str = "") -> RowProblem:
        return RowProblem(row, self.column, self.code, self.message, path, self.near)


class Unknown(LabelError):
    """No image of the dataset is meant by the reference."""

    def __init__(self, message: str, *, column: str = "image", near: Sequence[str] = ()):
        super().__init__(message, column=column, code="label_image_unknown", near=near)


class Elsewhere(Unknown):
    """Only an image in a folder that contradicts the reference's has its name: no other way of looking helps."""


class Ambiguous(LabelError):
    """More than one image of the dataset may be meant; ``near`` names them."""

    def __init__(self, message: str, *, column: str = "image", near: Sequence[str] = ()):
        super().__init__(message, column=column, code="label_image_ambiguous", near=near)


def read_whole(file: SideFile, limit: int = MAX_FILE) -> bytes:
    """Return the file's bytes; ``LabelError`` if it is larger than ``limit``."""
    with file.open() as stream:
        content = stream.read(min(limit, file.size) + 1)  # room is made for as much as is asked for
    if len(content) > limit:
        raise LabelError(f"The file is larger than {limit // 2**20} MiB.", code="label_file_too_large")
    return content


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def folder(path: str) -> str:
    return path.rpartition("/")[0]


def stem(path: str) -> str:
    """Return the base name without its extension."""
    name = base_name(path)
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name
