"""From DICOM elements to the plain header: what lists and the viewer need, and who the patient is, to be digested."""

from collections.abc import Iterable
from typing import Any

from ..records import ImageHeader
from . import tags
from .elements import Elements
from .file import DicomFile
from .grey import FrameGroups, frame_groups, windows_of
from .pixels import PixelDescription

MAX_LISTED_FRAMES = 4096
"""Objects with more frames keep only the geometry and window of their first frame in the header."""

_NUMBERS = {
    "PixelSpacing": tags.PIXEL_SPACING,
    "ImagerPixelSpacing": tags.IMAGER_PIXEL_SPACING,
    "NominalScannedPixelSpacing": tags.NOMINAL_SCANNED_PIXEL_SPACING,
    "PixelAspectRatio": tags.PIXEL_ASPECT_RATIO,
    "ImagePositionPatient": tags.IMAGE_POSITION_PATIENT,
    "ImageOrientationPatient": tags.IMAGE_ORIENTATION_PATIENT,
}
_NUMBER = {
    "SliceThickness": tags.SLICE_THICKNESS,
    "SpacingBetweenSlices": tags.SPACING_BETWEEN_SLICES,
    "SliceLocation": tags.SLICE_LOCATION,
    "RescaleIntercept": tags.RESCALE_INTERCEPT,
    "RescaleSlope": tags.RESCALE_SLOPE,
    "PixelPaddingValue": tags.PIXEL_PADDING_VALUE,
    "PixelPaddingRangeLimit": tags.PIXEL_PADDING_RANGE_LIMIT,
    "PlanarConfiguration": tags.PLANAR_CONFIGURATION,
    "HighBit": tags.HIGH_BIT,
    "FrameTime": tags.FRAME_TIME,
    "CineRate": tags.CINE_RATE,
    "RecommendedDisplayFrameRate": tags.RECOMMENDED_DISPLAY_FRAME_RATE,
}
_TEXT = {
    "RescaleType": tags.RESCALE_TYPE,
    "PatientPosition": tags.PATIENT_POSITION,
    "PatientOrientation": tags.PATIENT_ORIENTATION,
    "Laterality": tags.LATERALITY,
    "ImageLaterality": tags.IMAGE_LATERALITY,
    "ViewPosition": tags.VIEW_POSITION,
    "FrameOfReferenceUID": tags.FRAME_OF_REFERENCE_UID,
    "LossyImageCompression": tags.LOSSY_IMAGE_COMPRESSION,
    "PresentationLUTShape": tags.PRESENTATION_LUT_SHAPE,
}
_PER_FRAME_NUMBERS = {
    "ImagePositionPatient": (tags.PLANE_POSITION_SEQUENCE, tags.IMAGE_POSITION_PATIENT, 3),
    "ImageOrientationPatient": (tags.PLANE_ORIENTATION_SEQUENCE, tags.IMAGE_ORIENTATION_PATIENT, 6),
    "PixelSpacing": (tags.PIXEL_MEASURES_SEQUENCE, tags.PIXEL_SPACING, 2),
}
_PER_FRAME_NUMBER = {
    "SliceThickness": (tags.PIXEL_MEASURES_SEQUENCE, tags.SLICE_THICKNESS),
    "RescaleIntercept": (tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags.RESCALE_INTERCEPT),
    "RescaleSlope": (tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags.RESCALE_SLOPE),
}

_FRAME_MACROS = frozenset(
    (
        *(sequence for sequence, *_ in _PER_FRAME_NUMBERS.values()),
        *(sequence for sequence, _ in _PER_FRAME_NUMBER.values()),
        tags.FRAME_VOI_LUT_SEQUENCE,
    )
)


def build_header(file: DicomFile, pixels: PixelDescription) -> ImageHeader:
    """Return the header of an image object whose Image Pixel module was checked."""
    elements = file.elements
    groups = frame_groups(elements, 0)
    attributes = _attributes(elements, groups, pixels)
    windows = attributes["Windows"]
    burned_in = elements.text(tags.BURNED_IN_ANNOTATION).upper()
    return ImageHeader(
        format="DICOM",
        width=pixels.columns,
        height=pixels.rows,
        frames=pixels.frames,
        samples_per_pixel=pixels.samples,
        bits_allocated=pixels.bits_allocated,
        bits_stored=pixels.bits_stored,
        pixel_representation=int(pixels.signed),
        photometric_interpretation=pixels.photometric,
        transfer_syntax_uid=file.transfer_syntax,
        sop_class_uid=elements.text(tags.SOP_CLASS_UID),
        sop_instance_uid=elements.text(tags.SOP_INSTANCE_UID),
        study_instance_uid=elements.text(tags.STUDY_INSTANCE_UID),
        series_instance_uid=elements.text(tags.SERIES_INSTANCE_UID),
        series_number=elements.integer(tags.SERIES_NUMBER),
        instance_number=elements.integer(tags.INSTANCE_NUMBER),
        modality=elements.text(tags.MODALITY),
        study_description=elements.text(tags.STUDY_DESCRIPTION),
        series_description=elements.text(tags.SERIES_DESCRIPTION),
        study_date=elements.text(tags.STUDY_DATE),
        body_part_examined=elements.text(tags.BODY_PART_EXAMINED),
        window_center=windows[0]["center"] if windows else None,
        window_width=windows[0]["width"] if windows else None,
        slice_position=slice_position(
            attributes.get("ImagePositionPatient"), attributes.get("ImageOrientationPatient")
        ),
        burned_in_annotation={"YES": True, "NO": False}.get(burned_in),
        patient=patient_of(elements),
        attributes=attributes,
    )


def patient_of(elements: Elements) -> str:
    """Return what tells the patient from others: PatientID with its issuer (PS3.3 C.7.1.1), else name and birth date.

    "" where neither is there: a name alone tells nobody apart.
    """
    if number := elements.text(tags.PATIENT_ID):
        return f"id\x1f{elements.text(tags.ISSUER_OF_PATIENT_ID)}\x1f{number}"
    name = elements.text(tags.PATIENT_NAME).rstrip("^= ").casefold()
    birth = elements.text(tags.PATIENT_BIRTH_DATE)
    return f"name\x1f{name}\x1f{birth}" if name and birth else ""


def slice_position(position: list[float] | None, orientation: list[float] | None) -> float | None:
    """Return the distance of the image plane from the origin along its normal, in mm; None without full geometry."""
    if not position or not orientation or len(position) != 3 or len(orientation) != 6:
        return None
    rx, ry, rz, cx, cy, cz = orientation
    normal = (ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx)
    if not any(normal):
        return None
    return sum(part * along for part, along in zip(position, normal, strict=True))


def _attributes(elements: Elements, groups: FrameGroups, pixels: PixelDescription) -> dict[str, Any]:
    """Return what a viewer needs, by DICOM keyword, missing ones left out.

    No DICOM keywords are ``Windows`` (all valid windows with centre, width, function, explanation), ``FrameWindows``
    (true where they are those of the first frame's functional groups), ``HasModalityLUT``, ``HasVOILUT``, and
    ``PerFrame``: lists by frame of those attributes that differ by frame.
    """
    attributes: dict[str, Any] = {}
    for keyword, tag in _NUMBERS.items():
        values = elements.numbers(tag)
        if values:
            attributes[keyword] = values
    for keyword, tag in _NUMBER.items():
        value = elements.number(tag)
        if value is not None:
            attributes[keyword] = value
    for keyword, tag in _TEXT.items():
        text = elements.text(tag)
        if text:
            attributes[keyword] = text
    vector = elements.numbers(tags.FRAME_TIME_VECTOR)
    if vector and pixels.frames <= MAX_LISTED_FRAMES:
        attributes["FrameTimeVector"] = vector
    for keyword, (sequence, tag, count) in _PER_FRAME_NUMBERS.items():
        macro = groups.macro(sequence)
        if macro is not None and len(values := macro.numbers(tag)) == count:
            attributes[keyword] = values
    for keyword, (sequence, tag) in _PER_FRAME_NUMBER.items():
        macro = groups.macro(sequence)
        if macro is not None and (value := macro.number(tag)) is not None:
            attributes[keyword] = value
    frame_voi = groups.macro(tags.FRAME_VOI_LUT_SEQUENCE)
    windows = _windows(frame_voi) if frame_voi is not None else []
    attributes["Windows"] = windows or _windows(elements)
    if windows:
        attributes["FrameWindows"] = True
    attributes["HasModalityLUT"] = _has_items(elements.items(tags.MODALITY_LUT_SEQUENCE))
    attributes["HasVOILUT"] = _has_items(elements.items(tags.VOI_LUT_SEQUENCE))
    if tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE in elements and 1 < pixels.frames <= MAX_LISTED_FRAMES:
        per_frame = _per_frame(elements, pixels.frames)
        if per_frame:
            attributes["PerFrame"] = per_frame
    return attributes


def _has_items(items: Iterable[Elements]) -> bool:
    return next(iter(items), None) is not None


def _windows(elements: Elements) -> list[dict[str, Any]]:
    explanations = elements.texts(tags.WINDOW_CENTER_WIDTH_EXPLANATION)
    return [
        {
            "center": window.center,
            "width": window.width,
            "function": window.function,
            "explanation": explanations[number] if number < len(explanations) else "",
        }
        for number, window in enumerate(windows_of(elements))
    ]


def _per_frame(elements: Elements, frames: int) -> dict[str, list[Any]]:
    """Return, by keyword, one value a frame for what the frames do not have in common; None where a frame has none.

    Values are those that hold for the frame: its own, or shared ones, or (rescale, window) the object's. The window is
    the one that `voi_of` would choose, ``WindowFunction`` its function.
    """
    columns: dict[str, list[Any]] = {
        keyword: []
        for keyword in (*_PER_FRAME_NUMBERS, *_PER_FRAME_NUMBER, "WindowCenter", "WindowWidth", "WindowFunction")
    }
    shared = FrameGroups(frame_groups(elements, -1).shared, None)
    common = {sequence: shared.macro(sequence) for sequence in _FRAME_MACROS}  # looked up once, not for every frame
    has_table = _has_items(elements.items(tags.VOI_LUT_SEQUENCE))
    for number, item in enumerate(elements.items(tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)):
        if number == frames:
            break
        own = FrameGroups(None, item)
        macros = {sequence: own.macro(sequence) or common[sequence] for sequence in _FRAME_MACROS}
        for keyword, (sequence, tag, count) in _PER_FRAME_NUMBERS.items():
            macro = macros[sequence]
            values = macro.numbers(tag) if macro is not None else []
            columns[keyword].append(values if len(values) == count else None)
        for keyword, (sequence, tag) in _PER_FRAME_NUMBER.items():
            source = macros[sequence] or elements
            columns[keyword].append(source.number(tag))
        voi = macros[tags.FRAME_VOI_LUT_SEQUENCE]
        windows = windows_of(voi) if voi is not None else []
        if not windows and not has_table:
            windows = windows_of(elements)
        columns["WindowCenter"].append(windows[0].center if windows else None)
        columns["WindowWidth"].append(windows[0].width if windows else None)
        columns["WindowFunction"].append(windows[0].function if windows else None)
    return {keyword: column for keyword, column in columns.items() if any(value != column[0] for value in column)}
