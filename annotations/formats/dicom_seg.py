"""DICOM Segmentation (PS3.3, A.51): binary, fractional and label maps, overlapping segments, one frame at a time.

A frame belongs to the image it names as its source, else to the one that lies where the frame lies. Fractions of at
least ``options["threshold"]`` (default 0.5) belong to the mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from . import checks
from .base import (
    SEGMENTATION,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelInfo,
    LabelSet,
    Listed,
    Options,
    OutMember,
    Output,
    SideFile,
    stem,
)
from .dicom_files import code, faults_named, items, read_dicom, sop_class, text
from .dicom_seg_writer import as_long_string, members
from .images import Images
from .masks import Mask
from .planes import Slices, slices_of

SOP_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
MAX_FRAMES = 1_000_000
THRESHOLD = 0.5


class DicomSeg:
    key = "dicom-seg"
    title = "DICOM Segmentation"
    reads = (SEGMENTATION,)
    writes = (SEGMENTATION,)

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        claimed = [file for file in files if sop_class(file) in SOP_CLASSES]
        sets = [LabelSet(self.key, SEGMENTATION, [file], stem(file.path), "_" + stem(file.path)) for file in claimed]
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for file in label_set.files:
            try:
                yield from _Reader(file, images, options).read()
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        return members(output, items)


class _Reader:
    def __init__(self, file: SideFile, images: Images, options: Options):
        self.file, self.images = file, images
        self.translate: Callable[[str], str] = options.get("translate_uid") or str
        self.threshold = float(options.get("threshold", THRESHOLD))
        self.dataset = read_dicom(file)
        with faults_named("The segmentation cannot be read"):
            self.frames = int(self.dataset.get("NumberOfFrames") or 1)
            self.shared = next(iter(items(self.dataset, "SharedFunctionalGroupsSequence")), Dataset())
            self.groups = items(self.dataset, "PerFrameFunctionalGroupsSequence")
            self.kind = text(self.dataset, "SegmentationType") or "BINARY"
            self.size = (int(self.dataset.Rows), int(self.dataset.Columns))
            self.segments = {int(one.SegmentNumber): one for one in items(self.dataset, "SegmentSequence")}
            series = [text(one, "SeriesInstanceUID") for one in items(self.dataset, "ReferencedSeriesSequence")]
            space = text(self.dataset, "FrameOfReferenceUID")
        self.series, self.space = [self.translate(uid) for uid in series if uid], self.translate(space) if space else ""
        if not 0 < self.frames <= MAX_FRAMES or len(self.groups) not in (self.frames, 0):
            raise LabelError(f"The file says it has {self.frames} frames.", code="label_file_invalid")
        self.labels: dict[int, str] = {}
        self._slices: Slices | None = None

    def read(self) -> Iterator[Item]:
        for number, segment in self.segments.items():
            try:
                with faults_named("The segment cannot be read"):
                    name, properties = _name(segment) or f"Segment {number}", _properties(segment)
                self.labels[number] = checks.label_name(name, "SegmentLabel")
            except LabelError as error:
                yield error.at(number, self.file.path)
                continue
            if self.kind != "LABELMAP" or number:
                yield LabelInfo(self.labels[number], properties)
        listed: set[int] = set()
        for place in range(self.frames):
            try:
                group = self.groups[place] if self.groups else Dataset()
                with faults_named("The frame's place cannot be read"):
                    image, frame = self.image_of(group)
                if image.place not in listed:
                    listed.add(image.place)
                    yield Listed(image.id, place + 1)
                for label, mask in self.masks(place, group, image):
                    yield Found(image.id, label, place + 1, mask=mask, frame=frame)
            except LabelError as error:
                yield error.at(place + 1, self.file.path)
                if error.code == "label_file_invalid":
                    return

    def masks(self, place: int, group: Dataset, image: ImageRef) -> Iterator[tuple[str, Mask]]:
        if self.size != (image.height, image.width):
            raise LabelError(
                f"The segmentation has {self.size[1]} × {self.size[0]} pixels, the image “{image.path[-120:]}” "
                f"{image.width} × {image.height}.",
                column="Rows",
                code="label_size_differs",
            )
        with faults_named("The pixels cannot be read"):
            pixels = np.asarray(pixel_array(self.dataset, index=place, raw=True))
        if pixels.shape != self.size:
            raise LabelError("The pixels have another size than the file says.", code="label_file_invalid")
        if self.kind == "LABELMAP":
            for number in np.unique(pixels).tolist():
                if number and number in self.labels:
                    yield self.labels[number], Mask.from_array(pixels == number)
            return
        number = self.segment_of(group)
        if self.kind == "FRACTIONAL":
            with faults_named("The largest value cannot be read"):
                most = int(self.dataset.get("MaximumFractionalValue") or 255)
            pixels = pixels >= max(self.threshold * most, 1)
        if pixels.any():
            yield self.labels[number], Mask.from_array(pixels)

    def segment_of(self, group: Dataset) -> int:
        with faults_named("The frame's segment cannot be read"):
            found = items(group, "SegmentIdentificationSequence") or items(self.shared, "SegmentIdentificationSequence")
            number = int(found[0].ReferencedSegmentNumber) if found else 1
        if number not in self.labels:
            raise LabelError(f"There is no segment {number}.", column="ReferencedSegmentNumber")
        return number

    def image_of(self, group: Dataset) -> tuple[ImageRef, int]:
        """Return the image that the frame lies on, and the number of its frame (0: all that it has)."""
        sources = [
            source
            for groups in (group, self.shared)
            for derivation in items(groups, "DerivationImageSequence")
            for source in items(derivation, "SourceImageSequence")
        ]
        named = [
            (self.images.by_sop_instance(self.translate(text(one, "ReferencedSOPInstanceUID"))), one) for one in sources
        ]
        known = {ref.place: (ref, one) for ref, one in named if ref is not None}
        if len(known) == 1:
            image, source = next(iter(known.values()))
            stated = self.plane_of(group)
            if stated and image.frames == 1 and image.geometry and not _lies_on(image, *stated):
                raise LabelError(
                    "The frame does not lie on the image that it names.",
                    column="PlanePositionSequence",
                    code="label_place_differs",
                )
            return image, self.frame_of(image, source)
        lying = self.lying_at(group)
        if lying is not None:
            return lying, 0
        only = self.only_image()
        if only is not None and not sources:
            return only, self.frame_of(only, Dataset())
        raise LabelError(
            "The frame names no image of this dataset, and none lies where it lies.",
            column="SourceImageSequence",
            code="label_image_unknown",
        )

    def frame_of(self, image: ImageRef, source: Dataset) -> int:
        if image.frames == 1:
            return 0
        number: Any = source.get("ReferencedFrameNumber")
        if number is None:  # the reference is to all frames (PS3.3, table 10-3)
            return 0
        if isinstance(number, int) and 1 <= number <= image.frames:
            return number
        raise LabelError("The frame does not say which frame of the image is meant.", column="ReferencedFrameNumber")

    def plane_of(self, group: Dataset) -> tuple[list[float], list[float]] | None:
        """Return position and orientation that are stated for the frame."""
        positions = items(group, "PlanePositionSequence") or items(self.shared, "PlanePositionSequence")
        planes = items(group, "PlaneOrientationSequence") or items(self.shared, "PlaneOrientationSequence")
        if not positions or not planes:
            return None
        position = [float(value) for value in positions[0].ImagePositionPatient]
        return position, [float(value) for value in planes[0].ImageOrientationPatient]

    def lying_at(self, group: Dataset) -> ImageRef | None:
        stated = self.plane_of(group)
        if stated is None:
            return None
        position, plane = stated
        if self._slices is None:
            self._slices = slices_of(self.images, series=self.series, spaces=[self.space])
        image = self._slices.nearest(position, np.cross(plane[:3], plane[3:]))
        return image if image is not None and _lies_on(image, position, plane) else None

    def only_image(self) -> ImageRef | None:
        """Return the one image that the file names as a whole."""
        named = [
            self.images.by_sop_instance(self.translate(text(one, "ReferencedSOPInstanceUID")))
            for series in items(self.dataset, "ReferencedSeriesSequence")
            for one in items(series, "ReferencedInstanceSequence")
        ]
        return named[0] if len(named) == 1 else None


def _lies_on(image: ImageRef, position: list[float], plane: list[float]) -> bool:
    """Say whether a frame's pixels are the image's: the first is at the same place, and rows run the same way."""
    if image.geometry is None:
        return False
    away = float(np.abs(np.subtract(image.geometry.position, position)).max())
    turned = float(np.abs(np.subtract(image.geometry.orientation, plane)).max())
    return away < 1 and turned < 0.01


def _name(segment: Dataset) -> str:
    """Return the label, or the description if the label is what an LO can hold of it (PS3.5 6.2)."""
    label, description = text(segment, "SegmentLabel"), text(segment, "SegmentDescription")
    whole = description != label and as_long_string(description).strip() == label
    return description if whole or not label else label


def _properties(segment: Dataset) -> dict[str, Any]:
    """Return what the segment says of its class beyond the name, to be written back."""
    found: dict[str, Any] = {
        "category": code(segment, "SegmentedPropertyCategoryCodeSequence"),
        "type": code(segment, "SegmentedPropertyTypeCodeSequence"),
        "algorithm_type": text(segment, "SegmentAlgorithmType"),
        "algorithm_name": text(segment, "SegmentAlgorithmName"),
    }
    return {key: value for key, value in found.items() if value}
