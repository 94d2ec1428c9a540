"""The two things asked of a file: what is it (examine), and show it (render)."""

from typing import Any

from . import thumbnails
from .decoders.dicom import NoDecoder
from .decoders.raster import RasterImage
from .dicom.image import DicomImage
from .dicom.json import dataset_json
from .dicom.parts import open_part
from .errors import Rejected
from .limits import Limits
from .records import Examined, Rendered
from .sniffing import sniff

Data = bytes | bytearray | memoryview

RENDER_LIMITS = Limits(min_side=1)
"""What was accepted once is shown, however small."""


def examine(data: Data, limits: Limits | None = None) -> Examined:
    """Read the header, make sure all frames' bytes are there, and draw the thumbnail: one pass, nothing read twice.

    Drawing decodes one frame (the middle one), which is the proof that the file decodes. Raises Rejected or Skipped.
    """
    image = open_image(data, limits or Limits())
    header = image.header()
    try:
        small = image.show_small(middle_frame(header.frames)) if isinstance(image, DicomImage) else image.show_small()
    except NoDecoder as missing:
        return Examined(header, None, missing.code, str(missing))
    return Examined(header, thumbnails.encode_jpeg(small))


def render(data: Data, *, frame: int = 1, window: tuple[float, float] | None = None, head: int = 0) -> Rendered:
    """Return one frame (counted from 1, as DICOM does) as an 8-bit PNG at full size, EXIF orientation applied.

    A window (centre, width) in modality units replaces the file's own for grey images and is ignored for colour.
    With ``head``, data hold the first ``head`` bytes of a DICOM file and behind them the bytes of that frame only.
    Raises Rejected when the file or the frame cannot be drawn.
    """
    image = open_frame(memoryview(data), frame, head)
    if isinstance(image, DicomImage):
        try:
            shown = image.show(frame - 1 - image.first, window)
        except NoDecoder as missing:
            raise Rejected(missing.code, str(missing)) from missing
        picture, rule, voi = shown.picture, shown.rule, shown.window
    else:
        if frame != 1:
            raise Rejected("frame_missing", "The image has 1 frame.")
        picture, rule, voi = image.show(window)
    return Rendered(
        png=thumbnails.encode_png(picture),
        width=picture.shape[1],
        height=picture.shape[0],
        rule=rule,
        window_center=voi.center if voi else None,
        window_width=voi.width if voi else None,
    )


def dicom_json(data: Data) -> dict[str, Any]:
    """Return the header as DICOM JSON (PS3.18 annex F) without pixel data and other bulk.

    Raises Rejected when the file is no readable DICOM file.
    """
    view = memoryview(data)
    if sniff(view) != "DICOM":
        raise Rejected("format_unsupported", "The file is not a DICOM file.")
    return dataset_json(view)


def open_image(data: Data, limits: Limits, *, annotations: bool = False) -> DicomImage | RasterImage:
    """Read and check the header of a file of any format; the stage before decoding.

    With annotations, DICOM Segmentations count as images. Raises Rejected or Skipped.
    """
    view = memoryview(data)
    if not len(view):
        raise Rejected("file_empty", "The file is empty.")
    format_ = sniff(view)
    if format_ is None:
        raise Rejected("format_unsupported", "The file is neither DICOM nor JPEG nor PNG.")
    if format_ == "DICOM":
        return DicomImage.open(view, limits, annotations=annotations)
    return RasterImage.open(view, format_, limits)


def open_frame(view: memoryview, frame: int, head: int) -> DicomImage | RasterImage:
    """Read the header of a file that was accepted once or, with ``head``, of the part of it that holds one frame.

    Raises Rejected or Skipped.
    """
    if head:
        return open_part(view, head, frame - 1, RENDER_LIMITS)
    return open_image(view, RENDER_LIMITS, annotations=True)


def middle_frame(frames: int) -> int:
    """Return the frame a thumbnail shows, counted from 0: the middle one, since first frames are often empty."""
    return frames // 2
