"""DICOM Segmentation out: a binary segmentation for each series that lies in space, else for each image.

Written by pydicom alone: highdicom needs the source images in memory and pulls in 119 MB; it reads what is written here
in the tests. One segment holds one object an image of a class, so that objects of one class may overlap.
``output.options["headers"]`` may be a function from an ``ImageRef`` to attributes (by keyword) of its patient, study,
frame of reference and SOP class; without it the study is a made-up one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from .base import ImageRef, ItemOut, LabelInfo, OutMember, Output
from .masks import Mask
from .planes import normal_of

SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
ROOT = "2.25."
ANATOMY = {"value": "123037004", "scheme": "SCT", "meaning": "Anatomical Structure"}
COPIED = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID")
MAX_BYTES = 0xFFFFFFFE
LABEL_LENGTH = 64
"""Characters of Segment Label (LO, PS3.5 6.2); what is longer is in Segment Description too."""

Frame = tuple[int, ImageRef, int, Mask]  # segment, image, frame, mask


def members(output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
    headers: Callable[[ImageRef], Mapping[str, Any]] = output.options.get("headers") or (lambda image: {})
    missing: list[str] = []
    group: list[ItemOut] = []
    number = 0
    for item in items:
        image = item.image
        if not image.sop_instance_uid:
            if item.annotations:
                missing.append(image.path)
            continue
        if group and _key(group[0].image) != _key(image):
            number += 1
            yield from _member(output, group, headers, number)
            group = []
        group.append(item)
    if group:
        yield from _member(output, group, headers, number + 1)
    if missing:
        note = "These images are no DICOM objects and cannot be referred to by a segmentation:\n"
        yield OutMember("not_exported.txt", [(note + "\n".join(missing) + "\n").encode()])


def _key(image: ImageRef) -> tuple[Any, ...]:
    """Return what images of one segmentation have in common."""
    if image.geometry is None or image.frames > 1 or not image.series_instance_uid:
        return (image.sop_instance_uid,)
    return (image.series_instance_uid, image.width, image.height, image.geometry.orientation, image.geometry.spacing)


def _member(
    output: Output, group: list[ItemOut], headers: Callable[[ImageRef], Mapping[str, Any]], number: int
) -> Iterator[OutMember]:
    segments: dict[tuple[str, int], int] = {}
    frames: list[Frame] = []
    for item in group:
        seen: dict[tuple[str, int], int] = {}
        for annotation in item.annotations:
            if annotation.mask is None:
                continue
            place = (annotation.label, annotation.frame)
            seen[place] = seen.get(place, 0) + 1
            segment = segments.setdefault((annotation.label, seen[place]), len(segments) + 1)
            frames.append((segment, item.image, annotation.frame, annotation.mask))
    if not frames:
        return
    frames.sort(key=lambda frame: (frame[0], _along(frame[1]), frame[2]))
    first = group[0].image
    header = dict(headers(first))
    dataset = _dataset(output, first, header, [item.image for item in group], segments, frames, headers)
    yield OutMember(f"{output.name}_{number:04d}.dcm", _file(dataset, frames))


def _along(image: ImageRef) -> float:
    return float(np.dot(normal_of(image.geometry), image.geometry.position)) if image.geometry else 0.0


def _dataset(
    output: Output,
    first: ImageRef,
    header: Mapping[str, Any],
    images: list[ImageRef],
    segments: dict[tuple[str, int], int],
    frames: list[Frame],
    headers: Callable[[ImageRef], Mapping[str, Any]],
) -> Dataset:
    dataset = Dataset()
    for keyword in COPIED:
        setattr(dataset, keyword, header.get(keyword, ""))
    dataset.AccessionNumber = header.get("AccessionNumber", "")
    dataset.ReferringPhysicianName = ""
    study = header.get("StudyInstanceUID") or generate_uid(ROOT, ["study", first.series_instance_uid])
    dataset.StudyInstanceUID = study
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = SEGMENTATION_STORAGE
    dataset.SOPInstanceUID = generate_uid(ROOT)
    dataset.SeriesInstanceUID = generate_uid(ROOT)
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "SEG", 1, 1
    dataset.Manufacturer, dataset.ManufacturerModelName = "DeepCap", "DeepCap"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "1", "1"
    dataset.ContentDate, dataset.ContentTime = "20000101", "000000"
    dataset.ContentLabel, dataset.ContentDescription, dataset.ContentCreatorName = "SEGMENTATION", output.name[:64], ""
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = "20000101", "000000"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = first.height, first.width, len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.LossyImageCompression, dataset.SegmentationType = "00", "BINARY"
    dataset.SegmentsOverlap = "UNDEFINED"
    dataset.PositionReferenceIndicator = ""
    if first.geometry is not None:
        dataset.FrameOfReferenceUID = header.get("FrameOfReferenceUID") or generate_uid(ROOT, ["frame", study])
    known = {label.name: label for label in output.labels}
    dataset.SegmentSequence = Sequence(
        _segment(number, known.get(label) or LabelInfo(label)) for (label, _), number in segments.items()
    )
    classes = {image.sop_instance_uid: str(headers(image).get("SOPClassUID") or CT_STORAGE) for image in images}
    series = Dataset()
    series.SeriesInstanceUID = first.series_instance_uid or generate_uid(ROOT, ["series", first.sop_instance_uid])
    series.ReferencedInstanceSequence = Sequence(_reference(uid, name) for uid, name in classes.items())
    dataset.ReferencedSeriesSequence = Sequence([series])
    _dimensions(dataset, first)
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared(first)])
    places = {place: number for number, place in enumerate(sorted({(_along(f[1]), f[2]) for f in frames}), 1)}
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        _group(frame, places[_along(frame[1]), frame[2]], classes) for frame in frames
    )
    return dataset


def _segment(number: int, label: LabelInfo) -> Dataset:
    extra = label.extra or {}
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = number, as_long_string(label.name)
    if segment.SegmentLabel != label.name:
        segment.SegmentDescription = label.name
    segment.SegmentAlgorithmType = extra.get("algorithm_type", "MANUAL")
    if segment.SegmentAlgorithmType != "MANUAL":
        segment.SegmentAlgorithmName = extra.get("algorithm_name") or "unknown"
    segment.SegmentedPropertyCategoryCodeSequence = Sequence([_code(extra.get("category") or ANATOMY)])
    segment.SegmentedPropertyTypeCodeSequence = Sequence([_code(extra.get("type") or _own_code(label.name))])
    return segment


def as_long_string(name: str) -> str:
    """Return what an LO can hold of a name: 64 characters, and no backslash, which parts values (PS3.5 6.2)."""
    return name.replace("\\", "/")[:LABEL_LENGTH]


def _own_code(name: str) -> dict[str, str]:
    return {"value": f"{_number_of(name)}", "scheme": "99DEEPCAP", "meaning": as_long_string(name)}


def _number_of(name: str) -> int:
    """Return a number for a name that is the same in every process."""
    value = 0
    for byte in name.encode():
        value = (value * 257 + byte) % 4294967291
    return value


def _code(concept: Mapping[str, str]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = concept["value"][:16], concept["scheme"][:16]
    item.CodeMeaning = as_long_string(concept["meaning"])
    return item


def _reference(uid: str, sop_class: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def _dimensions(dataset: Dataset, first: ImageRef) -> None:
    """Order frames by segment, then by place: in space, or in the image's own frames."""
    uid = generate_uid(ROOT)
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    dataset.DimensionOrganizationSequence = Sequence([organization])
    by_place = ((0x0020, 0x0032), (0x0020, 0x9113)) if first.geometry else ((0x0020, 0x9057), (0x0020, 0x9111))
    indices = []
    for pointer, group in (((0x0062, 0x000B), (0x0062, 0x000A)), by_place):
        index = Dataset()
        index.DimensionOrganizationUID = uid
        index.DimensionIndexPointer, index.FunctionalGroupPointer = Tag(pointer), Tag(group)
        indices.append(index)
    dataset.DimensionIndexSequence = Sequence(indices)


def _shared(first: ImageRef) -> Dataset:
    shared = Dataset()
    if first.geometry is not None:
        orientation, measures = Dataset(), Dataset()
        orientation.ImageOrientationPatient = [_decimal(value) for value in first.geometry.orientation]
        shared.PlaneOrientationSequence = Sequence([orientation])
        measures.PixelSpacing = [_decimal(value) for value in first.geometry.spacing]
        measures.SliceThickness = "1"
        shared.PixelMeasuresSequence = Sequence([measures])
    return shared


def _group(frame: Frame, place: int, classes: Mapping[str, str]) -> Dataset:
    segment, image, number, _ = frame
    group, identification, content = Dataset(), Dataset(), Dataset()
    identification.ReferencedSegmentNumber = segment
    group.SegmentIdentificationSequence = Sequence([identification])
    content.DimensionIndexValues = [segment, place]
    if image.geometry is None:
        content.StackID, content.InStackPositionNumber = "1", place
    else:
        position = Dataset()
        position.ImagePositionPatient = [_decimal(value) for value in image.geometry.position]
        group.PlanePositionSequence = Sequence([position])
    group.FrameContentSequence = Sequence([content])
    source, derivation = _reference(image.sop_instance_uid, classes[image.sop_instance_uid]), Dataset()
    if number:
        source.ReferencedFrameNumber = number
    source.SpatialLocationsPreserved = "YES"
    purpose = {"value": "121322", "scheme": "DCM", "meaning": "Source image for image processing operation"}
    source.PurposeOfReferenceCodeSequence = Sequence([_code(purpose)])
    derivation.SourceImageSequence = Sequence([source])
    derivation.DerivationCodeSequence = Sequence(
        [_code({"value": "113076", "scheme": "DCM", "meaning": "Segmentation"})]
    )
    group.DerivationImageSequence = Sequence([derivation])
    return group


def _decimal(value: float) -> str:
    """Write a number in the 16 characters of a Decimal String, as exactly as they allow."""
    for digits in range(17, 0, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    return "0"


def _file(dataset: Dataset, frames: list[Frame]) -> Iterator[bytes]:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head = BytesIO()
    FileDataset("", dataset, file_meta=meta, preamble=bytes(128)).save_as(head, enforce_file_format=True)
    yield head.getvalue()
    size = (sum(mask.height * mask.width for *_, mask in frames) + 7) // 8
    if size > MAX_BYTES:
        raise ValueError("A segmentation of more than 4 GiB cannot be written.")
    yield struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, size + size % 2)
    rest = np.zeros(0, np.uint8)
    for *_, mask in frames:  # frames follow bit by bit, also where a frame is no whole number of bytes (PS3.5, 8.1.1)
        bits = np.concatenate((rest, mask.decode().ravel().astype(np.uint8)))
        whole = len(bits) // 8 * 8
        yield np.packbits(bits[:whole], bitorder="little").tobytes()
        rest = bits[whole:]
    yield np.packbits(rest, bitorder="little").tobytes() + bytes(size % 2)
