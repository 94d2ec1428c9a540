"""Which DICOM objects are images, which are annotations of images, and which are neither."""

from ..errors import Rejected, Skipped
from . import tags
from .file import DicomFile
from .walker import PixelSpan

SEGMENTATIONS = frozenset(
    ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # Segmentation, Label Map Segmentation
)
RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_NAMES = {
    "1.2.840.10008.5.1.4.1.1.11.1": "Grayscale Softcopy Presentation State",
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.59": "Key Object Selection",
    "1.2.840.10008.5.1.4.1.1.88.67": "X-Ray Radiation Dose SR",
    "1.2.840.10008.5.1.4.1.1.91.1": "Microscopy Bulk Simple Annotations",
    "1.2.840.10008.5.1.4.1.1.104.1": "Encapsulated PDF",
    "1.2.840.10008.5.1.4.1.1.481.5": "RT Plan",
    "1.2.840.10008.5.1.4.1.1.481.8": "RT Ion Plan",
}


def refuse_non_image(file: DicomFile, *, annotations: bool) -> PixelSpan:
    """Return where the pixels are.

    Raises Skipped: ``dicom_directory``, ``dicom_rtstruct``, ``dicom_segmentation`` (unless annotations is set),
    ``dicom_no_pixels``; Rejected: ``file_truncated``, ``pixel_data_missing`` for an image that lost its pixels.
    """
    elements = file.elements
    sop_class, modality = elements.text(tags.SOP_CLASS_UID), elements.text(tags.MODALITY)
    if file.truncated:
        raise Rejected("file_truncated", "The DICOM file ends inside its header.")
    if tags.DIRECTORY_RECORD_SEQUENCE in elements or sop_class == MEDIA_STORAGE_DIRECTORY:
        raise Skipped("dicom_directory", "This is a DICOM directory (DICOMDIR), not an image.")
    if sop_class == RT_STRUCTURE_SET or (modality == "RTSTRUCT" and file.pixels is None):
        raise Skipped("dicom_rtstruct", "This is an RT Structure Set: annotations of the images it references.")
    if (sop_class in SEGMENTATIONS or modality == "SEG") and not annotations:
        raise Skipped("dicom_segmentation", "This is a DICOM Segmentation: annotations of the images it references.")
    if file.pixels is not None:
        return file.pixels
    if tags.ROWS in elements and tags.COLUMNS in elements and tags.BITS_ALLOCATED in elements:
        raise Rejected("pixel_data_missing", "The DICOM image has no pixel data.")
    kind = _NAMES.get(sop_class) or modality or sop_class or "unknown kind"
    raise Skipped("dicom_no_pixels", f"This DICOM object ({kind}) holds no pixel data.")
