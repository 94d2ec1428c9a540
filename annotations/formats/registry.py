"""All formats in the order in which they are asked, and the three things one does with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .base import AnnotationType, Format, Item, ItemOut, LabelSet, Options, OutMember, Output, SideFile
from .class_folders import ClassFolders
from .coco import Coco
from .dicom_seg import DicomSeg
from .header import HeaderCsv
from .images import Images
from .labelcsv import LabelCsv
from .labelme import LabelMe
from .nifti import Nifti
from .png_masks import PngMasks
from .rtstruct import RtStruct
from .voc import Voc
from .yolo import Yolo

FORMATS: tuple[Format, ...] = (
    HeaderCsv(),
    LabelCsv(),
    Coco(),
    LabelMe(),
    Voc(),
    Yolo(),
    DicomSeg(),
    RtStruct(),
    Nifti(),
    PngMasks(),
    ClassFolders(),
)
BY_KEY = {one.key: one for one in FORMATS}


def detect(files: Sequence[SideFile], images: Images, *, class_folders: bool = True) -> list[LabelSet]:
    """Group the files of an upload into sets of labels; files that no format claims are in none.

    ``class_folders``: whether folders of the images say their class too, which they do when a dataset comes in.
    """
    sets: list[LabelSet] = []
    left = list(files)
    for one in FORMATS:
        if one.key == ClassFolders.key and not class_folders:
            continue
        made, claimed = one.sniff(left, images)
        sets += made
        taken = {id(file) for file in claimed}
        left = [file for file in left if id(file) not in taken]
    return sets


def read(label_set: LabelSet, images: Images, options: Options | None = None) -> Iterator[Item]:
    """Read a set as a stream; what cannot be read is a ``RowProblem``, one for each row or object."""
    images.begin()
    return BY_KEY[label_set.format].read(label_set, images, {**label_set.options, **(options or {})})


def write(key: str, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
    """Write annotations in the format ``key`` as a stream of files."""
    return BY_KEY[key].write(output, items)


def formats_writing(annotation_type: AnnotationType) -> list[tuple[str, str]]:
    """Return key and title of the formats that can hold annotations of this type."""
    return [(one.key, one.title) for one in FORMATS if annotation_type in one.writes]
