"""What is known about a file once it was read: plain values that go into rows and JSON as they are."""

from dataclasses import dataclass, field
from typing import Any, Literal

Format = Literal["DICOM", "JPEG", "PNG"]


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Everything lists and the viewer need later, so that no header is read twice.

    ``width`` and ``height`` are as displayed: the EXIF orientation of a JPEG or PNG is applied. Texts are "" where the
    file has none. ``attributes`` holds DICOM keywords with JSON values and no attribute that identifies a patient.
    ``patient`` does: it is for making a keyed digest of, and not to be stored.
    """

    format: Format
    width: int
    height: int
    frames: int = 1
    samples_per_pixel: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    pixel_representation: int = 0
    photometric_interpretation: str = ""
    orientation: int = 1
    transfer_syntax_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    modality: str = ""
    study_description: str = ""
    series_description: str = ""
    study_date: str = ""
    body_part_examined: str = ""
    window_center: float | None = None
    window_width: float | None = None
    slice_position: float | None = None
    burned_in_annotation: bool | None = None
    patient: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examined:
    """One file, read once.

    ``thumbnail`` is a JPEG (quality 85) whose longest side is at most 256 px, never enlarged, showing the middle frame.
    Where the file is sound but no decoder can draw it, ``thumbnail`` is None and ``undrawable`` names why.
    """

    header: ImageHeader
    thumbnail: bytes | None
    undrawable: str | None = None
    undrawable_message: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One frame as an 8-bit PNG at full size.

    ``rule`` names what chose the grey values: ``window_given``, ``voi_lut``, ``window_frame`` (functional groups),
    ``window`` (the file's first), ``min_max``, or for colour ``colour`` and ``palette``. Where a window was used its
    centre and width are in modality units (for ``min_max``: of the window that spans minimum to maximum).
    """

    png: bytes
    width: int
    height: int
    rule: str
    window_center: float | None = None
    window_width: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """One frame as samples: little endian, row by row, those of a pixel together, without padding.

    ``type`` is uint8, int8, uint16, int16 or float32. Grey samples are what the file stores, Bits Stored of them and
    sign-extended; where the file has a modality LUT sequence, its output. Integers of 32 bits become float32. Colour is
    8-bit RGB as it is shown.
    """

    data: bytes
    type: str
    width: int
    height: int
    samples_per_pixel: int
    photometric_interpretation: str


@dataclass(frozen=True, slots=True)
class PixelPlace:
    """Where the frames of an object lie in its file, and what is needed to cut one out.

    ``offset`` is that of the pixel element's value: of its first sample, or of the item that holds the basic offset
    table. ``frame_bytes`` is the size of one uncompressed frame, 0 where frames are encapsulated. ``extended`` are the
    values of the Extended Offset Table (PS3.3 C.7.6.3.1.8), empty where there is none.
    """

    transfer_syntax: str
    little_endian: bool
    offset: int
    length: int
    frames: int
    frame_bytes: int
    extended: tuple[int, ...] = ()
