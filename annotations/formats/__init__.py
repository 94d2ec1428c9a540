"""Label file formats, without Django: what they say of which image, and how it is written again.

An importer builds ``Images`` from the rows of a dataset, asks ``detect`` which sets of labels lie in the files of an
upload, and reads each set by ``read``: a stream of

- ``Found``, one annotation; ``Listed``, an image the file lists (with nothing to label if no ``Found`` names it);
- ``LabelInfo``, a class the file declares, with what the format says of it beyond the name;
- ``RowProblem``, something that was not used: row, column, code, a sentence, the file and near matches.

``read`` never raises for what is in a file. A faulty row costs that row.

An exporter calls ``write`` with a format's key, an ``Output`` (type, labels, name) and a stream of ``ItemOut``; it gets
a stream of ``OutMember``, files to be put into a zip or, where it is only one, to be sent as it is. Both are lazy: the
content of a member must be taken before the next one is asked for.

Coordinates are in pixels of the image as displayed, origin at its top left corner; masks are ``Mask`` (COCO's
run-length encoding). Codes of problems: label_row_invalid, label_image_unknown, label_image_ambiguous,
label_kinds_mixed, label_conflict, label_box_empty, label_box_outside, label_mask_empty, label_size_differs,
label_place_differs, label_file_empty, label_file_invalid, label_file_too_large, label_encoding_unknown,
label_shape_unsupported.
"""

from .base import (
    DETECTION,
    MULTI_LABEL,
    SEGMENTATION,
    SINGLE_LABEL,
    Ambiguous,
    AnnotationType,
    Format,
    Found,
    Geometry,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelInfo,
    LabelSet,
    Listed,
    Options,
    OutAnnotation,
    OutMember,
    Output,
    RowProblem,
    SideFile,
    Unknown,
)
from .images import Images
from .labelme import EmbeddedImage, embedded_image
from .masks import Mask
from .polygons import draw, outline
from .registry import FORMATS, detect, formats_writing, read, write

__all__ = [
    "DETECTION",
    "FORMATS",
    "MULTI_LABEL",
    "SEGMENTATION",
    "SINGLE_LABEL",
    "Ambiguous",
    "AnnotationType",
    "EmbeddedImage",
    "Format",
    "Found",
    "Geometry",
    "ImageRef",
    "Images",
    "Item",
    "ItemOut",
    "LabelError",
    "LabelInfo",
    "LabelSet",
    "Listed",
    "Mask",
    "Options",
    "OutAnnotation",
    "OutMember",
    "Output",
    "RowProblem",
    "SideFile",
    "Unknown",
    "detect",
    "draw",
    "embedded_image",
    "formats_writing",
    "outline",
    "read",
    "write",
]
