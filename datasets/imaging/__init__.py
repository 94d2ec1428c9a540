"""Pixels: from the bytes of one file to its header, its grey values and its thumbnail.

Servers and workers use the :class:`Sandbox` and never load a codec themselves; what decodes in the same process is in
``examine`` (functions ``examine``, ``render``, ``dicom_json``). Everything wrong with a file is :class:`Rejected` or
:class:`Skipped` with a code and a sentence; anything else that is raised is a fault of this package. Knows no Django.
"""

from .errors import ImagingError, Rejected, Skipped
from .limits import Limits
from .records import Examined, ImageHeader, PixelPlace, Rendered, Samples
from .sandbox import Sandbox
from .sniffing import sniff

__all__ = [
    "Examined",
    "ImageHeader",
    "ImagingError",
    "Limits",
    "PixelPlace",
    "Rejected",
    "Rendered",
    "Samples",
    "Sandbox",
    "Skipped",
    "sniff",
]
