"""DICOM RT Structure Set (PS3.3, A.19): closed contours in millimetres, drawn on the slices they lie on.

Contours of one region on one slice exclude each other where they overlap, which is how holes are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

import numpy as np
from pydicom.dataset import Dataset

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
    Polygon,
    SideFile,
    stem,
)
from .dicom_files import faults_named, items, read_dicom, sop_class, text
from .images import Images
from .masks import Mask
from .planes import Slices, Vector, pixels_of, slices_of
from .polygons import draw

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR")
DECIMALS = 6  # of a pixel: Decimal Strings are no more exact


class RtStruct:
    key = "rtstruct"
    title = "DICOM RT Structure Set"
    reads = (SEGMENTATION,)
    writes = ()

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        claimed = [file for file in files if sop_class(file) == SOP_CLASS]
        sets = [LabelSet(self.key, SEGMENTATION, [file], stem(file.path), "_" + stem(file.path)) for file in claimed]
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for file in label_set.files:
            try:
                yield from _Reader(file, images, options).read()
            except LabelError as error:
                yield error.at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        raise NotImplementedError("Contours are read; masks are written as DICOM Segmentation.")


class _Reader:
    def __init__(self, file: SideFile, images: Images, options: Options):
        self.file, self.images = file, images
        self.translate: Callable[[str], str] = options.get("translate_uid") or str
        self.dataset = read_dicom(file)
        with faults_named("The structure set cannot be read"):
            self.names = {
                int(region.ROINumber): text(region, "ROIName")
                for region in items(self.dataset, "StructureSetROISequence")
            }
            spaces = [text(one, "FrameOfReferenceUID") for one in self.frames_of_reference()]
            spaces += [
                text(region, "ReferencedFrameOfReferenceUID")
                for region in items(self.dataset, "StructureSetROISequence")
            ]
            self.slices: Slices = slices_of(
                images, series=map(self.translate, self.series()), spaces=map(self.translate, spaces)
            )
        self.row = 0
        self.listed: set[int] = set()

    def frames_of_reference(self) -> list[Dataset]:
        return items(self.dataset, "ReferencedFrameOfReferenceSequence")

    def series(self) -> list[str]:
        return [
            text(series, "SeriesInstanceUID")
            for frame in self.frames_of_reference()
            for study in items(frame, "RTReferencedStudySequence")
            for series in items(study, "RTReferencedSeriesSequence")
        ]

    def read(self) -> Iterator[Item]:
        with faults_named("The contours cannot be read"):
            regions = items(self.dataset, "ROIContourSequence")
        if not regions:
            raise LabelError("The structure set has no contours.", code="label_file_empty")
        for region in regions:
            first = self.row + 1
            try:
                with faults_named("The region cannot be read"):
                    number = int(region.ReferencedROINumber)
                    contours = items(region, "ContourSequence")
                label = checks.label_name(self.names.get(number) or f"ROI {number}", "ROIName")
            except LabelError as error:
                yield error.at(first, self.file.path)
                continue
            yield LabelInfo(label)
            yield from self.region(label, contours)

    def region(self, label: str, contours: list[Dataset]) -> Iterator[Item]:
        by_image: dict[int, tuple[ImageRef, int, list[Polygon]]] = {}
        for contour in contours:
            self.row += 1
            try:
                with faults_named("The contour cannot be read"):
                    image, polygon = self.contour(contour)
            except LabelError as error:
                yield error.at(self.row, self.file.path)
                continue
            if image.place not in self.listed:
                self.listed.add(image.place)
                yield Listed(image.id, self.row)
            by_image.setdefault(image.place, (image, self.row, []))[2].append(polygon)
        for image, row, polygons in by_image.values():
            try:
                mask = _drawn(polygons, image)
                yield Found(image.id, label, row, mask=mask, polygons=polygons if len(polygons) == 1 else None)
            except LabelError as error:
                yield error.at(row, self.file.path)

    def contour(self, contour: Dataset) -> tuple[ImageRef, Polygon]:
        kind = text(contour, "ContourGeometricType")
        if kind not in CLOSED:
            raise LabelError(
                f"A contour of the type “{kind[:40]}” encloses nothing.",
                column="ContourGeometricType",
                code="label_shape_unsupported",
            )
        numbers = np.array([float(value) for value in contour.ContourData])
        if len(numbers) < 9 or len(numbers) % 3 or not np.isfinite(numbers).all():
            raise LabelError("A closed contour needs at least three points.", column="ContourData")
        points = numbers.reshape(-1, 3)
        image = self.image_of(contour, points)
        assert image.geometry is not None
        pixels, away = pixels_of(points, image.geometry)
        if float(away.max()) > max(self.slices.spacing, 1.0):
            raise LabelError("The contour does not lie in the image it names.", column="ContourData")
        return image, np.round(pixels, DECIMALS).ravel().tolist()

    def image_of(self, contour: Dataset, points: Vector) -> ImageRef:
        for source in items(contour, "ContourImageSequence"):
            image = self.images.by_sop_instance(self.translate(text(source, "ReferencedSOPInstanceUID")))
            if image is not None and image.geometry is not None:
                return image
        nearest = self.slices.nearest(points.mean(axis=0), within=self.slices.spacing)
        if nearest is None:
            raise LabelError(
                "No image of this dataset lies where the contour lies.",
                column="ContourImageSequence",
                code="label_image_unknown",
            )
        return nearest


def _drawn(polygons: list[Polygon], image: ImageRef) -> Mask:
    try:
        masks = [draw([polygon], image.height, image.width) for polygon in polygons]
    except ValueError as error:
        raise LabelError(f"The contour cannot be drawn: {error}", column="ContourData") from error
    if len(masks) > 1:
        return checks.filled(Mask.from_array(reduce(np.logical_xor, (mask.decode() for mask in masks))), "ContourData")
    return checks.filled(masks[0], "ContourData")
